//! Directives as they arrive, by the clauses of RFC 9111 §5.2.
