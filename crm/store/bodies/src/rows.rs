//! How values go into columns and come out again: one table for both ways.

use std::mem::size_of;

use crate::columns::{Columns, Reader, Writer};
use crate::error::BodyError;

/// A type that has its place in columns.
pub(crate) trait Row: Sized {
    fn put<'a>(&'a self, out: &mut Writer<'a>) -> Result<(), BodyError>;

    /// Takes what `put` put, in the same order.
    fn take(input: &mut Reader<'_>) -> Result<Self, BodyError>;
}

/// The fields of structs, in the order they are written, and how: as their type is, or `name` for texts that come
/// often, `time` for places in time. Structs are taken apart and built whole.
macro_rules! rows {
    ($($row:ident { $($field:ident $(: $way:ident)?),* $(,)? })*) => {$(
        impl $crate::rows::Row for $row {
            fn put<'a>(
                &'a self,
                out: &mut $crate::columns::Writer<'a>,
            ) -> Result<(), $crate::error::BodyError> {
                let Self { $($field),* } = self;
                $($crate::rows::rows!(@put $($way)?, $field, out);)*
                Ok(())
            }

            fn take(
                input: &mut $crate::columns::Reader<'_>,
            ) -> Result<Self, $crate::error::BodyError> {
                Ok(Self { $($field: $crate::rows::rows!(@take $($way)?, input)),* })
            }
        }
    )*};
    (@put , $field:ident, $out:ident) => { $crate::rows::Row::put($field, $out)? };
    (@put name, $field:ident, $out:ident) => { $out.name($field)? };
    (@put time, $field:ident, $out:ident) => { $out.time(*$field) };
    (@take , $input:ident) => { $crate::rows::Row::take($input)? };
    (@take name, $input:ident) => { $input.name()? };
    (@take time, $input:ident) => { $input.time()? };
}

/// The numbers that stand for variants. They are not those of the enum: its order may change.
macro_rules! variants {
    ($($row:ident { $($variant:ident = $number:literal),* $(,)? })*) => {$(
        impl $crate::rows::Row for $row {
            fn put<'a>(
                &'a self,
                out: &mut $crate::columns::Writer<'a>,
            ) -> Result<(), $crate::error::BodyError> {
                out.tag(match self { $(Self::$variant => $number),* });
                Ok(())
            }

            fn take(
                input: &mut $crate::columns::Reader<'_>,
            ) -> Result<Self, $crate::error::BodyError> {
                match input.tag()? {
                    $($number => Ok(Self::$variant),)*
                    _ => Err($crate::error::BodyError::Damaged),
                }
            }
        }
    )*};
}

pub(crate) use {rows, variants};

/// A whole value in columns.
pub(crate) fn columns_of<Value: Row>(value: &Value) -> Result<Columns<'_>, BodyError> {
    let mut writer = Writer::default();
    value.put(&mut writer)?;
    Ok(writer.finish())
}

/// The value that [`columns_of`] was given.
pub(crate) fn value_of<Value: Row>(columns: &Columns<'_>) -> Result<Value, BodyError> {
    let mut reader = Reader::new(columns);
    let value = Value::take(&mut reader)?;
    reader.finish()?;
    Ok(value)
}

impl<Item: Row> Row for Vec<Item> {
    fn put<'a>(&'a self, out: &mut Writer<'a>) -> Result<(), BodyError> {
        out.list(self.len(), size_of::<Item>())?;
        self.iter().try_for_each(|item| item.put(out))
    }

    fn take(input: &mut Reader<'_>) -> Result<Self, BodyError> {
        let n_items = input.list(size_of::<Item>())?;
        let mut items = Self::with_capacity(n_items);
        for _ in 0..n_items {
            items.push(Item::take(input)?);
        }
        Ok(items)
    }
}

impl<Value: Row> Row for Option<Value> {
    fn put<'a>(&'a self, out: &mut Writer<'a>) -> Result<(), BodyError> {
        out.tag(u32::from(self.is_some()));
        self.as_ref().map_or(Ok(()), |value| value.put(out))
    }

    fn take(input: &mut Reader<'_>) -> Result<Self, BodyError> {
        match input.tag()? {
            0 => Ok(None),
            1 => Value::take(input).map(Some),
            _ => Err(BodyError::Damaged),
        }
    }
}

impl Row for bool {
    fn put<'a>(&'a self, out: &mut Writer<'a>) -> Result<(), BodyError> {
        out.tag(u32::from(*self));
        Ok(())
    }

    fn take(input: &mut Reader<'_>) -> Result<Self, BodyError> {
        match input.tag()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(BodyError::Damaged),
        }
    }
}

impl Row for String {
    fn put<'a>(&'a self, out: &mut Writer<'a>) -> Result<(), BodyError> {
        out.text(self)
    }

    fn take(input: &mut Reader<'_>) -> Result<Self, BodyError> {
        input.text()
    }
}

impl Row for f32 {
    fn put<'a>(&'a self, out: &mut Writer<'a>) -> Result<(), BodyError> {
        out.float(*self);
        Ok(())
    }

    fn take(input: &mut Reader<'_>) -> Result<Self, BodyError> {
        input.float()
    }
}

impl<const N: usize> Row for [f32; N] {
    fn put<'a>(&'a self, out: &mut Writer<'a>) -> Result<(), BodyError> {
        self.iter().for_each(|value| out.float(*value));
        Ok(())
    }

    fn take(input: &mut Reader<'_>) -> Result<Self, BodyError> {
        let mut values = [0.0; N];
        for value in &mut values {
            *value = input.float()?;
        }
        Ok(values)
    }
}

impl Row for i64 {
    fn put<'a>(&'a self, out: &mut Writer<'a>) -> Result<(), BodyError> {
        // The sign in the lowest bit: small ones stay short.
        out.number(((*self << 1) ^ (*self >> 63)).cast_unsigned());
        Ok(())
    }

    fn take(input: &mut Reader<'_>) -> Result<Self, BodyError> {
        let word = input.number()?;
        Ok((word >> 1).cast_signed() ^ -(word & 1).cast_signed())
    }
}

macro_rules! counts {
    ($($count:ty),*) => {$(
        impl Row for $count {
            fn put<'a>(&'a self, out: &mut Writer<'a>) -> Result<(), BodyError> {
                out.number(*self as u64);
                Ok(())
            }

            fn take(input: &mut Reader<'_>) -> Result<Self, BodyError> {
                Self::try_from(input.number()?).map_err(|_| BodyError::Damaged)
            }
        }
    )*};
}

counts!(u16, u32, u64, usize);
