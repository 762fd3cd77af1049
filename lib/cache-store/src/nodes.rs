//! A dense array in chunks: it grows without copying, shrinks when emptied and never holds gaps.

/// Elements a chunk.
const CHUNK: usize = 256;

/// A dense array in chunks.
#[derive(Debug)]
pub(crate) struct Nodes<T> {
    chunks: Vec<Vec<T>>,
    len: usize,
}

impl<T> Nodes<T> {
    /// What it may hold beyond its elements.
    pub(crate) const SLACK_BYTES: u64 = (CHUNK * size_of::<T>()) as u64;

    pub(crate) fn new() -> Self {
        Self { chunks: Vec::new(), len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, place: u32) -> &T {
        &self.chunks[place as usize / CHUNK][place as usize % CHUNK]
    }

    pub(crate) fn get_mut(&mut self, place: u32) -> &mut T {
        &mut self.chunks[place as usize / CHUNK][place as usize % CHUNK]
    }

    pub(crate) fn push(&mut self, element: T) {
        if self.len == self.chunks.len() * CHUNK {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        self.chunks[self.len / CHUNK].push(element);
        self.len += 1;
    }

    /// Takes an element out and puts the last one into its place.
    pub(crate) fn swap_remove(&mut self, place: u32) -> T {
        self.len -= 1;
        let last = self.chunks[self.len / CHUNK].pop().expect("the last chunk holds the last element");
        // One empty chunk is kept, so that elements coming and going at its border do not allocate.
        self.chunks.truncate(self.len / CHUNK + 1);
        if place as usize == self.len {
            return last;
        }
        std::mem::replace(self.get_mut(place), last)
    }
}
