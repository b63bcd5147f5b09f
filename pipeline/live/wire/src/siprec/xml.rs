//! XML as a small tree, within limits.

use quick_xml::Reader;
use quick_xml::escape::{resolve_xml_entity, unescape};
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};

use super::RecordingError;
use crate::limits::Limits;
use crate::query::Shown;

/// Names of the encodings that are UTF-8, or part of it.
const ENCODINGS: [&str; 4] = ["utf-8", "utf8", "us-ascii", "ascii"];

/// A document that was read.
pub(super) struct Document {
    /// Its outermost element.
    pub(super) root: Element,
    /// Names of the elements and attributes whose values are left out, for they are too long.
    pub(super) too_long: Vec<Shown>,
}

/// One element. Names are in small letters and without their prefixes, for equipment chooses those freely. It has no
/// `Debug`, for it holds whatever the other side wrote.
pub(super) struct Element {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    text: String,
    /// Whether its text is left out.
    is_too_long: bool,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// Reads a document. Values that are too long are left out.
    pub(super) fn parse(xml: &[u8], limits: &Limits) -> Result<Document, RecordingError> {
        if xml.len() > limits.metadata_bytes {
            return Err(RecordingError::TooLong {
                n_bytes: xml.len(),
                limit_bytes: limits.metadata_bytes,
            });
        }
        let text = std::str::from_utf8(xml).map_err(|_| RecordingError::NotUtf8)?;
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
        let mut tree = Tree::new(limits);
        loop {
            let event = reader.read_event();
            tree.at_byte = reader.buffer_position();
            match event {
                Ok(Event::Eof) => return tree.finish(),
                Ok(event) => tree.take(event)?,
                Err(_) => return Err(tree.not_xml()),
            }
        }
    }

    /// The value of an attribute; an empty one says nothing.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        let (_, value) = found?;
        Some(value.trim()).filter(|value| !value.is_empty())
    }

    /// What stands in the element itself; nothing but space says nothing.
    pub(super) fn text(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    /// Elements of this name that lie directly in it.
    pub(super) fn named(&self, name: &'static str) -> impl Iterator<Item = &Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first text of an element of this name that lies directly in it.
    pub(super) fn text_of(&self, name: &'static str) -> Option<&str> {
        self.named(name).find_map(Element::text)
    }
}

/// A tree that grows.
struct Tree<'l> {
    /// Elements that are not closed yet, the outermost first.
    open: Vec<Element>,
    root: Option<Element>,
    too_long: Vec<Shown>,
    n_elements: usize,
    at_byte: u64,
    limits: &'l Limits,
}

impl<'l> Tree<'l> {
    fn new(limits: &'l Limits) -> Self {
        Self {
            open: Vec::new(),
            root: None,
            too_long: Vec::new(),
            n_elements: 0,
            at_byte: 0,
            limits,
        }
    }

    fn take(&mut self, event: Event<'_>) -> Result<(), RecordingError> {
        match event {
            Event::Decl(declaration) => self.check_encoding(&declaration),
            Event::DocType(_) => Err(RecordingError::DocumentType),
            Event::Start(start) => {
                let element = self.element(&start)?;
                self.open.push(element);
                Ok(())
            }
            Event::Empty(start) => {
                let element = self.element(&start)?;
                self.close(element)
            }
            Event::End(_) => match self.open.pop() {
                Some(element) => self.close(element),
                None => Err(self.not_xml()),
            },
            Event::Text(text) => self.push_text(&text),
            Event::CData(text) => self.push_text(&text),
            Event::GeneralRef(reference) => self.push_reference(&reference),
            Event::Comment(_) | Event::PI(_) | Event::Eof => Ok(()),
        }
    }

    fn finish(self) -> Result<Document, RecordingError> {
        let not_xml = self.not_xml();
        let too_long = self.too_long;
        match self.root {
            Some(root) if self.open.is_empty() => Ok(Document { root, too_long }),
            _ => Err(not_xml),
        }
    }

    fn check_encoding(&self, declaration: &BytesDecl<'_>) -> Result<(), RecordingError> {
        let encoding = match declaration.encoding() {
            None => return Ok(()),
            Some(Ok(encoding)) => encoding,
            Some(Err(_)) => return Err(self.not_xml()),
        };
        let mut known = ENCODINGS.iter();
        match known.any(|known| encoding.eq_ignore_ascii_case(known)) {
            true => Ok(()),
            false => Err(RecordingError::Encoding {
                got: Shown::new(&encoding),
            }),
        }
    }

    /// An element with its attributes.
    fn element(&mut self, start: &BytesStart<'_>) -> Result<Element, RecordingError> {
        if self.open.len() >= self.limits.metadata_depth {
            return Err(RecordingError::TooDeep {
                limit: self.limits.metadata_depth,
            });
        }
        self.count()?;
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| self.not_xml())?;
            self.count()?;
            let name = attribute.key.into_inner();
            if name == "xmlns" || name.starts_with("xmlns:") {
                continue;
            }
            let name = attribute.key.local_name().into_inner();
            if attribute.value.len() > self.limits.metadata_value_bytes {
                self.too_long.push(Shown::new(name));
                continue;
            }
            let value = unescape(&attribute.value).map_err(|_| self.not_xml())?;
            attributes.push((name.to_ascii_lowercase(), value.into_owned()));
        }
        Ok(Element {
            name: start.local_name().into_inner().to_ascii_lowercase(),
            attributes,
            text: String::new(),
            is_too_long: false,
            children: Vec::new(),
        })
    }

    fn close(&mut self, element: Element) -> Result<(), RecordingError> {
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None if self.root.is_none() => self.root = Some(element),
            None => return Err(self.not_xml()),
        }
        Ok(())
    }

    fn push_text(&mut self, text: &str) -> Result<(), RecordingError> {
        let is_blank = text.trim().is_empty();
        let limit_bytes = self.limits.metadata_value_bytes;
        match self.open.last_mut() {
            None if is_blank => Ok(()),
            None => Err(self.not_xml()),
            // What stands between elements is no text.
            Some(element) if is_blank && element.text.is_empty() => Ok(()),
            Some(element) if element.is_too_long => Ok(()),
            Some(element) if element.text.len().saturating_add(text.len()) > limit_bytes => {
                element.text = String::new();
                element.is_too_long = true;
                self.too_long.push(Shown::new(&element.name));
                Ok(())
            }
            Some(element) => {
                element.text.push_str(text);
                Ok(())
            }
        }
    }

    fn push_reference(&mut self, reference: &BytesRef<'_>) -> Result<(), RecordingError> {
        let unknown = || RecordingError::UnknownEntity {
            got: Shown::new(reference),
        };
        match reference.resolve_char_ref() {
            Ok(Some(ch)) => self.push_text(ch.encode_utf8(&mut [0; 4])),
            Ok(None) => self.push_text(resolve_xml_entity(reference).ok_or_else(unknown)?),
            Err(_) => Err(unknown()),
        }
    }

    fn count(&mut self) -> Result<(), RecordingError> {
        let limit = self.limits.metadata_elements;
        if self.n_elements >= limit {
            return Err(RecordingError::TooManyElements { limit });
        }
        self.n_elements = self.n_elements.saturating_add(1);
        Ok(())
    }

    fn not_xml(&self) -> RecordingError {
        RecordingError::NotXml {
            at_byte: self.at_byte,
        }
    }
}
