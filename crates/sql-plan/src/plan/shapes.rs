//! The memory of shapes: what was written once for a shape is not written again.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::limits::SHAPES_MAX;

/// Remembers a bounded number of shapes. Callers choose shapes, so the map's hashes are keyed and a new shape takes
/// the place of any other once the memory is full.
#[derive(Debug)]
pub(crate) struct Shapes<T>(RwLock<HashMap<Box<[u8]>, Arc<T>>>);

impl<T> Shapes<T> {
    pub(crate) fn new() -> Self {
        Self(RwLock::new(HashMap::new()))
    }

    /// What is remembered for the shape, or what `make` makes for it.
    pub(crate) fn get_or_make(&self, shape: &[u8], make: impl FnOnce() -> T) -> Arc<T> {
        if let Some(known) = self.0.read().get(shape) {
            return Arc::clone(known);
        }
        let fresh = Arc::new(make());
        let mut shapes = self.0.write();
        if shapes.len() >= SHAPES_MAX {
            let victim = shapes.keys().next().cloned();
            victim.and_then(|victim| shapes.remove(&victim));
        }
        Arc::clone(shapes.entry(shape.into()).or_insert(fresh))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_shape_is_not_made_again_and_the_memory_is_bounded() {
        let shapes = Shapes::new();
        let first = shapes.get_or_make(b"a", || 1);
        assert!(Arc::ptr_eq(&first, &shapes.get_or_make(b"a", || 2)));
        for number in 0..2 * SHAPES_MAX as u64 {
            assert_eq!(*shapes.get_or_make(&number.to_le_bytes(), || 3), 3);
        }
        assert_eq!(shapes.0.read().len(), SHAPES_MAX);
    }
}
