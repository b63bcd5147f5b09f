//! What phrases tell of their sentences, and the list of them.

/// What a phrase tells of its sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Greeting and name: no reason yet.
    Greeting,
    /// The call is recorded: no reason either.
    Notice,
    /// Why an agent calls.
    Purpose,
    /// What a customer wants or lacks.
    Problem,
    /// What a customer may want, where nothing else is said.
    Wish,
    /// The speaker binds himself or his side.
    Commit,
    /// The speaker gives his word: binding without any action.
    Pledge,
    /// What is done for the other.
    Action,
    /// What is paid, or otherwise done by customers.
    Payment,
    /// By when.
    Deadline,
    /// The other is asked to do it: no promise.
    Request,
    /// What happens otherwise: a threat, no promise.
    Threat,
    /// What a customer answers in the end.
    Verdict,
    /// What was done.
    Done,
    /// Thanks and goodbye.
    Farewell,
}

impl Role {
    /// Whether a "no" right before the phrase makes it none.
    pub(super) const fn minds_negation(self) -> bool {
        matches!(
            self,
            Self::Purpose | Self::Wish | Self::Commit | Self::Pledge | Self::Action | Self::Payment
        )
    }
}

impl Role {
    const ALL: [(&'static str, Self); 15] = [
        ("greeting", Self::Greeting),
        ("notice", Self::Notice),
        ("purpose", Self::Purpose),
        ("problem", Self::Problem),
        ("wish", Self::Wish),
        ("commit", Self::Commit),
        ("pledge", Self::Pledge),
        ("action", Self::Action),
        ("payment", Self::Payment),
        ("deadline", Self::Deadline),
        ("request", Self::Request),
        ("threat", Self::Threat),
        ("verdict", Self::Verdict),
        ("done", Self::Done),
        ("farewell", Self::Farewell),
    ];

    fn named(name: &str) -> Option<Self> {
        let mut roles = Self::ALL.into_iter();
        roles
            .find(|(known, _)| *known == name)
            .map(|(_, role)| role)
    }
}

/// A heading in brackets for each role, and its phrases between bars; `#` begins a comment.
const LIST: &str = include_str!("phrases.txt");

/// All phrases, with their roles.
pub(super) fn phrases() -> impl Iterator<Item = (Role, &'static str)> {
    let mut role = None;
    let lines = LIST.lines().filter(|line| !line.starts_with('#'));
    let lines = lines.filter_map(move |line| match heading(line) {
        Some(name) => {
            role = Role::named(name);
            None
        }
        None => role.zip(Some(line)),
    });
    lines.flat_map(|(role, line)| {
        let phrases = line.split('|').map(str::trim);
        phrases
            .filter(|phrase| !phrase.is_empty())
            .map(move |phrase| (role, phrase))
    })
}

fn heading(line: &str) -> Option<&str> {
    line.strip_prefix('[')?.strip_suffix(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_phrases_and_every_heading_a_role() {
        for name in LIST.lines().filter_map(heading) {
            assert!(Role::named(name).is_some(), "{name}");
        }
        for (name, role) in Role::ALL {
            assert!(phrases().any(|(known, _)| known == role), "{name}");
        }
    }
}
