//! A network that loses, doubles and mixes up packets.

use super::*;

/// Numbers that look like chance: Marsaglia, "Xorshift RNGs", 2003.
struct Chance(u64);

impl Chance {
    /// Holds once in so many times.
    fn once_in(&mut self, n_times: u64) -> bool {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.is_multiple_of(n_times)
    }
}

/// Places of the packets of a leg in the order in which they come: a fifth never does, a tenth comes twice, a tenth behind
/// its next. The first and the last come.
fn arrivals(n_packets: usize, chance: &mut Chance) -> Vec<usize> {
    let mut order = Vec::new();
    for place in 0..n_packets {
        let is_edge = place == 0 || place + 1 == n_packets;
        if !is_edge && chance.once_in(5) {
            continue;
        }
        order.push(place);
        if chance.once_in(10) {
            order.push(place);
        }
    }
    for place in 2..order.len() - 1 {
        if chance.once_in(10) {
            order.swap(place - 1, place);
        }
    }
    order
}

#[test]
fn a_fifth_of_the_packets_lost_is_silence_there_and_nothing_else() {
    let Some(model) = &*MODEL else { return };
    let mut channels = read("dev-03");
    for channel in &mut channels {
        channel.truncate(channel.len() / PACKET * PACKET);
    }
    let n_packets = channels[0].len() / PACKET;
    let mut chance = Chance(20_261_123);
    let orders = [0, 1].map(|_| arrivals(n_packets, &mut chance));

    let mut simulation = Simulation::new(model, one_worker());
    let mut legs = simulation.open("x", model).unwrap();
    let n_most = orders.iter().map(Vec::len).max().unwrap();
    for turn in 0..n_most {
        for ((leg, channel), order) in legs.iter_mut().zip(&channels).zip(&orders) {
            let Some(place) = order.get(turn) else {
                continue;
            };
            let packet = &channel[place * PACKET..(place + 1) * PACKET];
            let packet = leg.packet((place * PACKET / 2) as u64, Encoding::L16, packet);
            leg.push(&packet).unwrap();
        }
        simulation.pass(20);
    }
    drop(legs);
    simulation.pass(20);
    let ended = simulation.ended().pop().unwrap();

    for ((channel, order), counts) in channels.iter_mut().zip(&orders).zip(&ended.counts) {
        let mut n_lost = 0;
        for (place, packet) in channel.chunks_mut(PACKET).enumerate() {
            if !order.contains(&place) {
                packet.fill(0);
                n_lost += 160;
            }
        }
        assert!(
            n_lost > n_packets as u64 * 160 / 6,
            "{n_lost} of {n_packets}"
        );
        assert_eq!((counts.lost, counts.jumps), (n_lost, 0));
        assert_eq!(
            counts.received - counts.late + n_lost,
            channel.len() as u64 / 2
        );
    }
    let recorded = heard_as_recording(model, &channels);
    assert!(recorded.utterances.len() > 3);
    assert_eq!(ended.transcript.utterances, recorded.utterances);
    let finals = simulation
        .happenings("x")
        .filter(|happening| matches!(happening, Happening::Final { .. }));
    assert_eq!(finals.count(), recorded.utterances.len());
    let mut expected: Vec<_> = CallRun::assess(&JUDGE, &recorded).hits;
    let stays = simulation.alerts("x").into_iter();
    let stays = stays.filter(|alert| alert.state != AlertState::Withdrawn);
    let mut alerted: Vec<_> = stays.map(|alert| alert.hit).collect();
    let key = |hit: &auricle_contracts::Hit| (hit.start_ms, hit.end_ms, hit.rule.clone());
    expected.sort_by_key(key);
    alerted.sort_by_key(key);
    assert_eq!(
        alerted.iter().map(key).collect::<Vec<_>>(),
        expected.iter().map(key).collect::<Vec<_>>()
    );
}
