//! Whole requests against a folder on the disk.
