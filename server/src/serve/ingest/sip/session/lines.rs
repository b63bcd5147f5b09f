//! Which lines of an offer are taken.

use auricle_contracts::Party;
use auricle_live::NewLeg;
use auricle_media::{LegAgreed, MediaPort};

use super::terms::{NotAnswered, Refused};
use crate::serve::ingest::sip::naming::two_of;
use crate::serve::ingest::sip::negotiate::{AudioLine, Hearable, Own};

/// A media line that is taken.
pub(super) struct OwnLine {
    /// Its place among all media of an offer.
    pub(super) media_idx: usize,
    /// Its place among those of audio.
    pub(super) audio_idx: usize,
    pub(super) party: Party,
    pub(super) own: Own,
    pub(super) is_held: bool,
}

/// What one media line is heard by.
pub(super) struct TakenLine {
    pub(super) line: OwnLine,
    pub(super) port: MediaPort,
    pub(super) agreed: LegAgreed,
}

/// A media line that is to be taken.
pub(super) struct Wanted<'o> {
    pub(super) audio_idx: usize,
    pub(super) party: Party,
    pub(super) hearable: Hearable<'o>,
}

/// The lines of a recording that are heard, in their order, and what is told of the others.
pub(super) fn wanted<'o>(
    audio: &[AudioLine<'o>],
    parties: &[Party],
) -> Result<(Vec<Wanted<'o>>, Vec<String>), NotAnswered> {
    let mut told = Vec::new();
    let mut candidates = Vec::new();
    for (audio_idx, (line, party)) in audio.iter().zip(parties).enumerate() {
        match &line.heard {
            Ok(hearable) => candidates.push(Wanted {
                audio_idx,
                party: *party,
                hearable: hearable.clone(),
            }),
            Err(why) => told.push(format!("a stream is not heard: {why}")),
        }
    }
    if candidates.is_empty() {
        return Err(nothing_heard(audio));
    }
    let on_lines: Vec<Party> = candidates.iter().map(|wanted| wanted.party).collect();
    let places = two_of(&on_lines);
    let n_more = candidates.len().saturating_sub(places.len());
    if n_more > 0 {
        told.push(format!(
            "the recording has {n_more} more streams than two, which are not heard"
        ));
    }
    let taken = candidates.into_iter().enumerate();
    let taken = taken.filter(|(place, _)| places.contains(place));
    Ok((taken.map(|(_, wanted)| wanted).collect(), told))
}

/// Lines that could be heard and are not ours.
pub(super) fn n_more(audio: &[AudioLine<'_>], lines: &[OwnLine]) -> usize {
    let is_ours = |offered: &AudioLine<'_>| {
        let mut lines = lines.iter();
        lines.any(|line| line.media_idx == offered.media_idx)
    };
    match lines.len() {
        0 | 1 => {
            let open = audio.iter().filter(|offered| offered.heard.is_ok());
            open.filter(|offered| !is_ours(offered)).count()
        }
        // That there are more than two was told, or is no matter.
        _ => 0,
    }
}

pub(super) fn nothing_heard(audio: &[AudioLine<'_>]) -> NotAnswered {
    let why = match audio.iter().find_map(|line| line.heard.as_ref().err()) {
        Some(why) => format!("no audio can be heard: {why}"),
        None => "no audio is offered".to_owned(),
    };
    NotAnswered::new(488, Refused::NothingHeard, why)
}

pub(super) fn labels_of(audio: &[AudioLine<'_>]) -> Vec<Option<String>> {
    let labels = audio.iter().map(|line| line.label);
    labels.map(|label| label.map(str::to_owned)).collect()
}

pub(super) fn legs_of(parties: impl Iterator<Item = Party>, rate_hz: u32) -> Vec<NewLeg> {
    parties.map(|party| NewLeg { party, rate_hz }).collect()
}

pub(super) fn apart(taken: Vec<TakenLine>) -> (Vec<OwnLine>, Vec<(MediaPort, LegAgreed)>) {
    let taken = taken.into_iter();
    taken
        .map(|TakenLine { line, port, agreed }| (line, (port, agreed)))
        .unzip()
}

#[cfg(test)]
mod tests {
    use auricle_wire::Limits;
    use auricle_wire::sdp::SessionDescription;

    use super::*;
    use crate::serve::ingest::sip::negotiate::audio_lines;
    use crate::serve::ingest::sip::negotiate::tests::wishes;

    fn description(media: &[&str]) -> SessionDescription {
        let sdp = format!("v=0\nc=IN IP4 192.0.2.1\n{}\n", media.join("\n"));
        SessionDescription::parse(&sdp, &Limits::default()).unwrap()
    }

    const HEARD: &str = "m=audio 4000 RTP/AVP 0";
    const CLOSED: &str = "m=audio 0 RTP/AVP 0";
    const UNKNOWN: &str = "m=audio 4000 RTP/AVP 18";
    const VIDEO: &str = "m=video 4000 RTP/AVP 98";

    #[test]
    fn two_lines_of_more_are_heard() {
        let check = |media: &[&str], parties: &[Party], expected: &[(usize, usize)], n_told| {
            let description = description(media);
            let audio = audio_lines(&description, &wishes());
            let (wanted, told) = wanted(&audio, parties).unwrap();
            let places = wanted
                .iter()
                .map(|it| (it.hearable.media_idx, it.audio_idx));
            assert_eq!(places.collect::<Vec<_>>(), expected, "{media:?}");
            assert_eq!(told.len(), n_told, "{told:?}");
        };
        use Party::{Agent, Customer, Unknown};
        check(&[HEARD, HEARD], &[Customer, Agent], &[(0, 0), (1, 1)], 0);
        check(&[VIDEO, HEARD], &[Unknown], &[(1, 0)], 0);
        check(&[UNKNOWN, HEARD], &[Customer, Agent], &[(1, 1)], 1);
        check(
            &[HEARD, HEARD, CLOSED, HEARD],
            &[Unknown, Agent, Unknown, Customer],
            &[(1, 1), (3, 3)],
            2,
        );
    }

    #[test]
    fn where_nothing_is_heard_the_first_reason_is_told() {
        let why = |media: &[&str]| {
            let description = description(media);
            let audio = audio_lines(&description, &wishes());
            let parties = vec![Party::Unknown; audio.len()];
            let refused = wanted(&audio, &parties).err().unwrap();
            assert_eq!(
                (refused.status, refused.reason),
                (488, Refused::NothingHeard)
            );
            refused.why
        };
        assert_eq!(why(&[VIDEO]), "no audio is offered");
        assert_eq!(why(&[CLOSED]), "no audio can be heard: its port is 0");
        assert_eq!(
            why(&[UNKNOWN, CLOSED]),
            "no audio can be heard: it offers none of `live.sip.codecs`"
        );
    }

    #[test]
    fn a_second_line_that_comes_late_is_seen() {
        let own = |media_idx| OwnLine {
            media_idx,
            audio_idx: 0,
            party: Party::Agent,
            own: Own::new(1, 2),
            is_held: false,
        };
        let description = description(&[HEARD, HEARD, CLOSED]);
        let audio = audio_lines(&description, &wishes());
        assert_eq!(n_more(&audio, &[own(0)]), 1);
        assert_eq!(n_more(&audio, &[own(0), own(1)]), 0);
        assert_eq!(n_more(&audio[..1], &[own(0)]), 0);
    }
}
