//! What a packet costs.

use super::*;
use crate::stage::Stage;

#[test]
fn a_packet_costs_no_allocation_before_recognition() {
    let Some(model) = &*MODEL else { return };
    let mut simulation = Simulation::new(model, one_worker());
    let channels = read("dev-01");
    let mut legs = simulation.open("x", model).unwrap();
    // Until buffers have the size that they keep: an utterance of either party.
    let warm_up = 16_000 * 30;
    let (mut n_allocations, mut n_packets) = (0, 0);
    for from in (0..channels[0].len() - PACKET).step_by(PACKET) {
        simulation.clock.now_us.fetch_add(20_000, Ordering::SeqCst);
        let front = &mut simulation.graph.fronts[0];
        let measured = allocation_counter::measure(|| {
            for (leg, channel) in legs.iter_mut().zip(&channels) {
                let packet = &channel[from..from + PACKET];
                let packet = leg.packet(from as u64 / 2, Encoding::L16, packet);
                leg.push(&packet).unwrap();
            }
            while front.turn() == Turn::Worked {}
        });
        if from >= warm_up {
            n_allocations += measured.count_total;
            n_packets += 2;
        }
        simulation.pass(0);
    }
    assert!(n_packets > 1_000, "{n_packets} packets are too few");
    assert_eq!(n_allocations, 0, "in {n_packets} packets");
}
