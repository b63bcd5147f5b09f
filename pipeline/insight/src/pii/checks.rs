//! What makes a row of digits a number of some kind: check digits, regions, birth dates, issuers, area codes.

/// Stands for the X that ends some identity card numbers.
pub(super) const X: u8 = 10;

/// Digits of an identity card number.
pub(super) const ID_CARD_DIGITS: usize = 18;
/// Digits of an identity card number from before 1999.
pub(super) const OLD_ID_CARD_DIGITS: usize = 15;

/// Check digit of GB 11643-1999 (ISO 7064 MOD 11-2).
pub(super) fn is_id_card(digits: &[u8]) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: [u8; 11] = [1, 0, X, 9, 8, 7, 6, 5, 4, 3, 2];
    if digits.len() != ID_CARD_DIGITS {
        return false;
    }
    let sum: u32 = digits
        .iter()
        .zip(WEIGHTS)
        .map(|(&digit, weight)| u32::from(digit) * weight)
        .sum();
    is_id_card_shape(digits) && CHECKS[(sum % 11) as usize] == digits[17]
}

/// A known province, a date of birth, a check digit whatever its value.
pub(super) fn is_id_card_shape(digits: &[u8]) -> bool {
    digits.len() == ID_CARD_DIGITS
        && digits[..17].iter().all(|&digit| digit < X)
        && is_province(digits)
        && is_date(number(&digits[6..10]), &digits[10..14])
}

/// An identity card number of 15 digits, which has no check digit.
pub(super) fn is_old_id_card(digits: &[u8]) -> bool {
    digits.len() == OLD_ID_CARD_DIGITS
        && digits.iter().all(|&digit| digit < X)
        && is_province(digits)
        && is_date(1900 + number(&digits[6..8]), &digits[8..12])
}

/// First two digits of GB/T 2260 (provinces), and 91 for foreigners' residence permits.
fn is_province(digits: &[u8]) -> bool {
    matches!(
        number(&digits[..2]),
        11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83 | 91
    )
}

fn is_date(year: u32, month_and_day: &[u8]) -> bool {
    let (month, day) = (number(&month_and_day[..2]), number(&month_and_day[2..]));
    let n_days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 29,
        _ => 31,
    };
    (1900..2050).contains(&year) && (1..=12).contains(&month) && (1..=n_days).contains(&day)
}

/// A day as eight digits: 20260903.
pub(super) fn is_day(digits: &[u8]) -> bool {
    let is_year = |year: u32| (1900..2100).contains(&year);
    digits.len() == 8
        && is_year(number(&digits[..4]))
        && is_date(number(&digits[..4]), &digits[4..])
}

fn number(digits: &[u8]) -> u32 {
    digits
        .iter()
        .fold(0, |sum, &digit| sum * 10 + u32::from(digit))
}

/// Check digit of ISO/IEC 7812-1 (Luhn).
pub(super) fn is_luhn(digits: &[u8]) -> bool {
    let doubled = |digit: u32| match digit {
        0..=4 => 2 * digit,
        _ => 2 * digit - 9,
    };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &digit)| match place % 2 {
            1 => doubled(digit.into()),
            _ => digit.into(),
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().all(|&digit| digit < X)
}

/// How surely digits begin and are as many as those of a bank card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Issuer {
    /// No card begins so.
    None,
    /// Some bank's own cards do.
    Possible,
    /// A card scheme's range and length.
    Scheme,
}

/// Ranges of ISO/IEC 7812 as the card schemes publish them, and those of older mainland cards.
pub(super) fn issuer(digits: &[u8]) -> Issuer {
    let (n, first) = (digits.len(), |n: usize| {
        number(&digits[..n.min(digits.len())])
    });
    if !(12..=19).contains(&n) {
        return Issuer::None;
    }
    match (first(2), n) {
        (62, 16..=19) | (40..=49 | 51..=55 | 35, 16) | (34 | 37, 15) | (36, 14) => Issuer::Scheme,
        (95, 19) if matches!(first(4), 9558 | 9559) => Issuer::Scheme,
        (22..=27, 16) if (2221..=2720).contains(&first(4)) => Issuer::Scheme,
        (62 | 30 | 34..=38 | 40..=49 | 50..=59 | 60..=69 | 81..=88 | 90..=99, _) => {
            Issuer::Possible
        }
        _ => Issuer::None,
    }
}

/// A mobile number: 11 digits that begin with 13 to 19.
pub(super) fn is_mobile(digits: &[u8]) -> bool {
    digits.len() == 11 && begins_mobile(digits) && digits.iter().all(|&digit| digit < X)
}

pub(super) fn begins_mobile(digits: &[u8]) -> bool {
    matches!(digits, [1, 3..=9, ..])
}

/// Without a country code in front: 86, 086, 0086.
pub(super) fn without_country(digits: &[u8]) -> &[u8] {
    match digits {
        [0, 0, 8, 6, rest @ ..] | [0, 8, 6, rest @ ..] | [8, 6, rest @ ..] if rest.len() >= 10 => {
            rest
        }
        _ => digits,
    }
}

/// An area code with a subscriber's number of the length in use there.
pub(super) fn is_landline(digits: &[u8]) -> bool {
    let Some((area, subscriber)) = split_area(digits) else {
        return false;
    };
    is_subscriber(subscriber)
        && match area {
            2 => subscriber.len() == 8,
            _ => true,
        }
}

/// A number of North America (area and exchange begin with 2 to 9, NANP) or of the United Kingdom with its 0 (Ofcom,
/// National Telephone Numbering Plan).
pub(super) fn is_english_phone(digits: &[u8]) -> bool {
    let is_american = |digits: &[u8]| {
        digits.len() == 10 && [digits[0], digits[3]].iter().all(|d| (2..X).contains(d))
    };
    match digits {
        [1, rest @ ..] if is_american(rest) => true,
        [0, 1..=3 | 7 | 8, ..] => digits.len() == 11,
        _ => is_american(digits),
    }
}

/// Digits of a social security number.
pub(super) const SSN_DIGITS: usize = 9;

/// A social security number that may have been issued: area, group and serial (3, 2, 4 digits) are not all zeros, and
/// no area is 666 or begins with 9 (SSA POMS RM 10201.035).
pub(super) fn is_ssn(digits: &[u8]) -> bool {
    if digits.len() != SSN_DIGITS || digits.contains(&X) {
        return false;
    }
    let (area, group, serial) = (&digits[..3], &digits[3..5], &digits[5..]);
    let is_area = !matches!(number(area), 0 | 666 | 900..);
    is_area && number(group) > 0 && number(serial) > 0
}

/// A subscriber's number: 7 or 8 digits that begin with 2 to 8.
pub(super) fn is_subscriber(digits: &[u8]) -> bool {
    matches!(digits.len(), 7 | 8)
        && matches!(digits[0], 2..=8)
        && digits.iter().all(|&digit| digit < X)
}

/// Digits of the area code behind the 0, and what follows it.
fn split_area(digits: &[u8]) -> Option<(usize, &[u8])> {
    let [0, first, second, third, ..] = *digits else {
        return None;
    };
    match (first, second) {
        (1, 0) => Some((2, &digits[3..])),
        (2, 0..=5 | 7..=9) => Some((2, &digits[3..])),
        _ if is_area(u32::from(first) * 100 + u32::from(second) * 10 + u32::from(third)) => {
            Some((3, &digits[4..]))
        }
        _ => None,
    }
}

/// Three-digit area codes of the mainland's numbering plan, without the leading 0.
fn is_area(code: u32) -> bool {
    matches!(
        code,
        310..=319 | 335 | 349..=359 | 370..=379 | 391..=396 | 398
            | 411..=419 | 421 | 427 | 429 | 431..=440 | 451..=459 | 464 | 467..=470 | 471..=479
            | 482 | 483 | 510..=519 | 523 | 527 | 530..=539 | 543 | 546 | 550..=559 | 561..=566
            | 570..=580 | 591..=599 | 631..=635 | 660 | 662 | 663 | 668 | 691 | 692 | 701
            | 710..=719 | 722 | 724 | 728 | 730..=739 | 743..=746 | 750..=760 | 762 | 763 | 766
            | 768 | 769 | 770..=779 | 790..=799 | 812 | 813 | 816..=818 | 825..=827 | 830..=839
            | 851..=859 | 870..=879 | 881 | 883 | 886..=888 | 890..=899 | 901..=903 | 906 | 908
            | 909 | 911..=919 | 930..=939 | 941 | 943 | 951..=955 | 970..=977 | 979 | 990..=999
    )
}

/// Numbers that anybody may know: 400 and 800 numbers, short service numbers.
pub(super) fn is_public_number(digits: &[u8]) -> bool {
    match digits {
        [4 | 8, 0, 0, ..] => (9..=11).contains(&digits.len()),
        [9, 5 | 6, ..] | [1, 0..=2, ..] => digits.len() <= 8,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> Vec<u8> {
        text.chars()
            .map(|ch| ch.to_digit(10).map_or(X, |digit| digit as u8))
            .collect()
    }

    #[test]
    fn identity_cards() {
        // The examples of GB 11643, the first of somebody born in 1880, who calls no more.
        for (text, valid) in [
            ("440524188001010014", false),
            ("11010519491231002X", true),
            ("110105194912310021", false),
            ("11010519491331002X", false),
            ("00010519491231002X", false),
            ("1101051949123100", false),
        ] {
            assert_eq!(is_id_card(&digits(text)), valid, "{text}");
        }
        assert!(is_old_id_card(&digits("110105491231002")));
        assert!(!is_old_id_card(&digits("110105491331002")));
    }

    #[test]
    fn bank_cards() {
        for (text, valid) in [
            ("4111111111111111", true),
            ("4111111111111112", false),
            ("6200000000000000003", false),
            ("79927398713", true),
        ] {
            assert_eq!(is_luhn(&digits(text)), valid, "{text}");
        }
        assert_eq!(issuer(&digits("6222020200112233445")), Issuer::Scheme);
        assert_eq!(issuer(&digits("622202020011223")), Issuer::Possible);
        assert_eq!(issuer(&digits("1234567890123456")), Issuer::None);
        assert_eq!(issuer(&digits("62220")), Issuer::None);
    }

    #[test]
    fn social_security_numbers() {
        for (text, valid) in [
            ("123456789", true),
            ("078051120", true),
            ("899998888", true),
            ("000456789", false),
            ("666456789", false),
            ("900456789", false),
            ("123006789", false),
            ("123450000", false),
            ("12345678", false),
            ("1234567890", false),
        ] {
            assert_eq!(is_ssn(&digits(text)), valid, "{text}");
        }
    }

    #[test]
    fn phones() {
        assert!(is_mobile(&digits("13800001234")) && !is_mobile(&digits("12800001234")));
        assert!(is_mobile(without_country(&digits("8613800001234"))));
        assert!(is_mobile(without_country(&digits("008613800001234"))));
        for (text, valid) in [
            ("01062345678", true),
            ("0106234567", false),
            ("075526001234", true),
            ("06325123456", true),
            ("0822631974", false),
            ("082263197400", false),
            ("010162345678", false),
        ] {
            assert_eq!(is_landline(&digits(text)), valid, "{text}");
        }
        assert!(is_public_number(&digits("4008001234")) && is_public_number(&digits("95588")));
        assert!(!is_public_number(&digits("13800001234")));
    }
}
