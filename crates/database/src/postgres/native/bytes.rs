//! Reading binary forms: numbers in network order, and never beyond the end.

/// Bytes that are read from the front.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

/// Bytes that are no value of their type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

macro_rules! numbers {
    ($($next:ident $only:ident $number:ty),* $(,)?) => {
        $(
            pub(super) fn $next(&mut self) -> Result<$number, Malformed> {
                let bytes = self.take(size_of::<$number>())?;
                Ok(<$number>::from_be_bytes(bytes.try_into().map_err(|_| Malformed)?))
            }

            /// The number, and nothing behind it.
            pub(super) fn $only(mut self) -> Result<$number, Malformed> {
                let number = self.$next()?;
                self.end().map(|()| number)
            }
        )*
    };
}

impl<'a> Bytes<'a> {
    numbers! {
        u8 only_u8 u8,
        i16 only_i16 i16,
        i32 only_i32 i32,
        u32 only_u32 u32,
        i64 only_i64 i64,
        u64 only_u64 u64,
    }

    pub(super) fn u16(&mut self) -> Result<u16, Malformed> {
        Ok(self.i16()?.cast_unsigned())
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A value with its length before it; `None` for NULL.
    pub(super) fn value(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        match self.i32()? {
            -1 => Ok(None),
            length => self.take(usize::try_from(length).map_err(|_| Malformed)?).map(Some),
        }
    }

    pub(super) fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}
