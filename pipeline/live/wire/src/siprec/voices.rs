//! Who is heard on which stream, and which stream is on which media line.

use super::recording::{Direction, Link, MediaStream};
use super::{Participant, PartyWarning, Private, Recording};

/// A stream and who is heard on it.
pub(super) struct Line<'r> {
    pub(super) label: Option<&'r Private>,
    pub(super) stream_idx: usize,
    pub(super) voice: Voice<'r>,
}

/// Who is heard on a stream.
#[derive(Clone, Copy)]
pub(super) enum Voice<'r> {
    /// One participant.
    Of(&'r Participant),
    /// Somebody who is not told.
    Somebody,
    /// More than one.
    Several,
}

/// Streams of media lines.
pub(super) struct MediaStreams {
    /// Place of the stream of each media line, among all that were told.
    pub(super) streams: Vec<Option<usize>>,
    /// Whether some were found by their order.
    pub(super) is_by_order: bool,
}

impl Line<'_> {
    pub(super) fn is_mixed(&self) -> bool {
        matches!(self.voice, Voice::Several)
    }
}

impl Recording {
    /// Participants who have not left; all of them where everything counts. Whom somebody else has replaced is none.
    pub(super) fn present(&self) -> Vec<&Participant> {
        let all = self.participants.iter();
        let all: Vec<_> = all.filter(|all| !self.is_replaced(&all.id)).collect();
        let present = all.iter().copied();
        let present: Vec<_> = present.filter(|all| !self.has_left(&all.id)).collect();
        match present.len() < all.len().min(2) || self.is_ending() {
            true => all,
            false => present,
        }
    }

    /// Whether fewer than two streams go on where there were two.
    fn is_ending(&self) -> bool {
        let streams = self.streams.iter();
        let n_open = streams.filter(|stream| !self.has_ended(stream)).count();
        n_open < self.streams.len().min(2)
    }

    /// Streams that have not ended, all of them where everything counts; without any, the participants.
    pub(super) fn lines<'r>(&'r self, present: &[&'r Participant]) -> Vec<Line<'r>> {
        if self.streams.is_empty() {
            let places = self.participants.iter().enumerate();
            let places = places.filter(|(_, participant)| {
                let mut present = present.iter();
                present.any(|present| present.id == participant.id)
            });
            let line = |(stream_idx, participant)| Line {
                label: None,
                stream_idx,
                voice: Voice::Of(participant),
            };
            return places.map(line).collect();
        }
        let is_ending = self.is_ending();
        let streams = self.streams.iter().enumerate();
        let open = streams.filter(|(_, stream)| is_ending || !self.has_ended(stream));
        let line = |(stream_idx, stream): (usize, &'r MediaStream)| Line {
            label: stream.label.as_ref(),
            stream_idx,
            voice: self.voice(stream, present),
        };
        open.map(line).collect()
    }

    /// Who sends a stream; of one that is over, who sent it last, whether they have left or not.
    pub(super) fn voice<'r>(
        &'r self,
        stream: &MediaStream,
        present: &[&'r Participant],
    ) -> Voice<'r> {
        let is_over = self.has_ended(stream);
        let counts = |link: &&Link| match is_over {
            true => !link.is_replaced,
            false => !link.span.is_over,
        };
        let links = self
            .links
            .iter()
            .filter(|link| link.stream == stream.id && link.direction == Direction::Sends);
        let is_there = |participant: &&Participant| {
            is_over || present.iter().any(|present| present.id == participant.id)
        };
        let sender = |link: &Link| {
            let mut all = self.participants.iter();
            let sender = all.find(|participant| participant.id == link.participant);
            sender.filter(is_there)
        };
        let senders: Vec<&Participant> = links.filter(counts).filter_map(sender).collect();
        match senders.as_slice() {
            _ if stream.is_mixed => Voice::Several,
            [] => Voice::Somebody,
            &[sender] => Voice::Of(sender),
            _ => Voice::Several,
        }
    }

    /// Finds the stream of each media line by its label, and the rest by their order.
    pub(super) fn streams_of_media(&self, labels: &[Option<&str>]) -> MediaStreams {
        let streams = self.streams.iter();
        let has_ended: Vec<bool> = streams.map(|stream| self.has_ended(stream)).collect();
        let mut streams: Vec<Option<usize>> = Vec::new();
        for label in labels {
            let label = label.map(str::trim).filter(|label| !label.is_empty());
            let found = label.and_then(|label| self.labelled(label, &has_ended, &streams));
            streams.push(found);
        }
        let is_any_known = streams.iter().any(Option::is_some);
        let may_be = |idx: &usize, stream: &MediaStream| {
            let is_free = !streams.contains(&Some(*idx));
            is_free && (!is_any_known || stream.label.is_none())
        };
        let rest = self.streams.iter().enumerate();
        let rest: Vec<usize> = rest
            .filter(|(idx, stream)| may_be(idx, stream))
            .map(|(idx, _)| idx)
            .collect();
        let is_over = |idx: &usize| has_ended.get(*idx).copied().unwrap_or(false);
        let (over, open): (Vec<usize>, Vec<usize>) = rest.into_iter().partition(is_over);
        let mut rest = open.into_iter().chain(over);
        let mut is_by_order = false;
        for stream in streams.iter_mut().filter(|stream| stream.is_none()) {
            *stream = rest.next();
            is_by_order |= stream.is_some();
        }
        MediaStreams {
            streams,
            is_by_order,
        }
    }

    /// The stream of a label that no other media line has: one that goes on, the latest that was told.
    fn labelled(&self, label: &str, has_ended: &[bool], taken: &[Option<usize>]) -> Option<usize> {
        let streams = self.streams.iter().zip(has_ended).enumerate();
        let of_label = streams.filter(|(idx, (stream, _))| {
            let own = stream.label.as_ref().map(Private::reveal);
            own == Some(label) && !taken.contains(&Some(*idx))
        });
        let best = of_label.max_by_key(|(idx, (_, has_ended))| (!**has_ended, *idx));
        best.map(|(idx, _)| idx)
    }
}

/// Finds out who sends what, where it is not said: as many participants without a stream as streams without a sender are
/// one each. Fewer streams than participants carry several, and so does a single stream that nobody is known for.
pub(super) fn pair<'r>(
    lines: &mut [Line<'r>],
    present: &[&'r Participant],
    warnings: &mut Vec<PartyWarning>,
) {
    let is_heard = |participant: &Participant| {
        let mut voices = lines.iter().map(|line| line.voice);
        voices.any(|voice| matches!(voice, Voice::Of(other) if other.id == participant.id))
    };
    let unheard = present.iter().copied();
    let unheard: Vec<_> = unheard.filter(|unheard| !is_heard(unheard)).collect();
    let is_single = lines.len() == 1;
    let open = lines.iter_mut();
    let open: Vec<_> = open
        .filter(|line| matches!(line.voice, Voice::Somebody))
        .collect();
    if open.is_empty() {
        return;
    }
    let are_mixed = open.len() < unheard.len() || (is_single && unheard.is_empty());
    if !are_mixed && !unheard.is_empty() {
        warnings.push(PartyWarning::PairedByOrder);
    }
    let mut unheard = unheard.into_iter();
    for line in open {
        line.voice = match (are_mixed, unheard.next()) {
            (true, _) => Voice::Several,
            (false, Some(participant)) => Voice::Of(participant),
            (false, None) => Voice::Somebody,
        };
    }
}

/// Those who are heard alone, each once, and for each line which of them it is.
pub(super) fn speakers<'r>(
    lines: &[Line<'r>],
) -> (Vec<Option<&'r Participant>>, Vec<Option<usize>>) {
    let mut speakers: Vec<Option<&Participant>> = Vec::new();
    let mut speaker_of = Vec::new();
    for line in lines {
        let (speaker, known) = match line.voice {
            Voice::Several => {
                speaker_of.push(None);
                continue;
            }
            Voice::Somebody => (None, None),
            Voice::Of(participant) => {
                let is_same =
                    |known: &Option<&Participant>| known.is_some_and(|it| it.id == participant.id);
                (Some(participant), speakers.iter().position(is_same))
            }
        };
        speaker_of.push(known.or(Some(speakers.len())));
        if known.is_none() {
            speakers.push(speaker);
        }
    }
    (speakers, speaker_of)
}
