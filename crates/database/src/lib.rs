//! Connections, statements, transactions and change feeds; the only user of SQL drivers.
