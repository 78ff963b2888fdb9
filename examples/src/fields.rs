//! Reads a line's JSON object field by field, so that a mistake is told with its field and the mend.

use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::lines::LineMistake;

/// The most characters of a wrong value that are shown.
const VALUE_SHOWN_MAX: usize = 40;

/// The fields of a JSON object that nobody has taken yet.
#[derive(Debug)]
pub struct Fields<'a> {
    line: &'a str,
    /// Where the object is: empty, or such as `lines[1].`.
    path: String,
    object: &'a str,
    left: Vec<(String, &'a RawValue)>,
    taken: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Of the object that a line is.
    pub fn of_line(line: &'a str) -> Result<Self, LineMistake> {
        let Entries(left) = serde_json::from_str(line)?;
        let fields = Self { line, path: String::new(), object: line, left, taken: Vec::new() };
        fields.check_names()?;
        Ok(fields)
    }

    /// The field `name`, which should be `expected`.
    pub fn take<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        expected: &str,
    ) -> Result<T, LineMistake> {
        self.take_where(name, expected, |_| true)
    }

    /// The same, where not every value of the type is right.
    pub fn take_where<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        expected: &str,
        is_right: impl FnOnce(&T) -> bool,
    ) -> Result<T, LineMistake> {
        match self.take_raw(name) {
            Some(raw) => self.read(name, expected, raw, is_right),
            None => Err(self.missing(name, expected)),
        }
    }

    /// The same, where the field may be missing.
    pub fn take_if_there<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        expected: &str,
    ) -> Result<Option<T>, LineMistake> {
        match self.take_raw(name) {
            Some(raw) => self.read(name, expected, raw, |_| true).map(Some),
            None => Ok(None),
        }
    }

    /// The object in the field `name`.
    pub fn take_object(&mut self, name: &'static str, expected: &str) -> Result<Self, LineMistake> {
        let raw = self.take_raw(name).ok_or_else(|| self.missing(name, expected))?;
        self.inner(name, expected, raw)
    }

    /// The objects in the list in the field `name`.
    pub fn take_objects(&mut self, name: &'static str, expected: &str) -> Result<Vec<Self>, LineMistake> {
        let raw = self.take_raw(name).ok_or_else(|| self.missing(name, expected))?;
        let raws: Vec<&RawValue> =
            serde_json::from_str(raw.get()).map_err(|_| self.wrong(name, expected, raw.get()))?;
        let indexed = raws.into_iter().enumerate();
        indexed.map(|(index, raw)| self.inner(&format!("{name}[{index}]"), expected, raw)).collect()
    }

    /// Says that all fields were taken: any other is a mistake.
    pub fn end(self) -> Result<(), LineMistake> {
        let Some((name, raw)) = self.left.first() else {
            return Ok(());
        };
        let known: Vec<String> = self.taken.iter().map(|name| format!("`{name}`")).collect();
        let what = format!("unknown field `{}{name}`: write one of {}", self.path, known.join(", "));
        Err(LineMistake::new(self.column(raw.get()), what))
    }

    /// A mistake in a field that was taken: `what` says why it is one, and the mend.
    pub fn mistake(&self, name: &str, what: &str) -> LineMistake {
        LineMistake::new(self.column(self.object), format!("field `{}{name}`: {what}", self.path))
    }

    fn take_raw(&mut self, name: &'static str) -> Option<&'a RawValue> {
        self.taken.push(name);
        let place = self.left.iter().position(|(other, _)| other == name)?;
        Some(self.left.remove(place).1)
    }

    fn read<T: DeserializeOwned>(
        &self,
        name: &str,
        expected: &str,
        raw: &RawValue,
        is_right: impl FnOnce(&T) -> bool,
    ) -> Result<T, LineMistake> {
        let value = serde_json::from_str(raw.get()).ok().filter(is_right);
        value.ok_or_else(|| self.wrong(name, expected, raw.get()))
    }

    fn inner(&self, name: &str, expected: &str, raw: &'a RawValue) -> Result<Self, LineMistake> {
        let Entries(left) =
            serde_json::from_str(raw.get()).map_err(|_| self.wrong(name, expected, raw.get()))?;
        let path = format!("{}{name}.", self.path);
        let fields = Self { line: self.line, path, object: raw.get(), left, taken: Vec::new() };
        fields.check_names()?;
        Ok(fields)
    }

    fn check_names(&self) -> Result<(), LineMistake> {
        for (index, (name, raw)) in self.left.iter().enumerate() {
            if self.left[..index].iter().any(|(other, _)| other == name) {
                let what = format!("field `{}{name}` stands twice: write it once", self.path);
                return Err(LineMistake::new(self.column(raw.get()), what));
            }
        }
        Ok(())
    }

    fn missing(&self, name: &str, expected: &str) -> LineMistake {
        let what = format!("field `{}{name}` is missing: write {expected}", self.path);
        LineMistake::new(self.column(self.object), what)
    }

    fn wrong(&self, name: &str, expected: &str, value: &str) -> LineMistake {
        let shown: String = value.chars().take(VALUE_SHOWN_MAX).collect();
        let more = if shown.len() < value.len() { "…" } else { "" };
        let what = format!("field `{}{name}` is {shown}{more}: write {expected}", self.path);
        LineMistake::new(self.column(value), what)
    }

    /// The column at which a part of the line begins, from 1.
    fn column(&self, part: &str) -> usize {
        (part.as_ptr() as usize).saturating_sub(self.line.as_ptr() as usize) + 1
    }
}

/// The fields of an object, in their order, twice where they stand twice.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;

        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Entries<'de>, M::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(EntriesVisitor)
    }
}
