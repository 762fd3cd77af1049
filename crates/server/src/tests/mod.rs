//! The whole server in this process, with flaws that the product does not have.

mod truth;
