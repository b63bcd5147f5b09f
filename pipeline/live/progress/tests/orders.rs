//! Every order in which threads may run and memory may be seen, tried out by loom:
//! `RUSTFLAGS="--cfg loom" cargo test -p auricle-progress --test orders`.
//!
//! Queues are taken for right: a lock stands for them, which orders no more than a push and its pop do.

#![cfg(loom)]
#![expect(clippy::unwrap_used, reason = "tests")]

use auricle_progress::{LegEnd, Marks, Reached};
use loom::sync::{Arc, Mutex};
use loom::thread;

/// Ends of utterances on their way.
#[derive(Default)]
struct Queue(Mutex<Vec<u64>>);

impl Queue {
    fn push(&self, end_ms: u64) {
        self.0.lock().unwrap().push(end_ms);
    }

    fn take_all(&self) -> Vec<u64> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn settled(settled_ms: u64) -> Marks {
    Marks {
        settled_ms,
        begun_ms: settled_ms,
    }
}

/// All utterances of the test that end before `settled_ms` are among `taken`.
fn assert_complete(taken: &[u64], marks: Marks) {
    for end_ms in [10, 20] {
        assert!(
            end_ms >= marks.settled_ms || taken.contains(&end_ms),
            "{marks:?} speak of {end_ms}, which did not come: {taken:?}"
        );
    }
}

#[test]
fn marks_speak_of_nothing_that_has_not_come() {
    loom::model(|| {
        let (queue, reached) = (Arc::new(Queue::default()), Arc::new(Reached::default()));
        let writer = thread::spawn({
            let (queue, reached) = (Arc::clone(&queue), Arc::clone(&reached));
            move || {
                for end_ms in [10, 20] {
                    queue.push(end_ms);
                    reached.tell(settled(end_ms + 1));
                }
            }
        });
        let mut taken = Vec::new();
        for _ in 0..2 {
            let marks = reached.read();
            taken.extend(queue.take_all());
            assert_complete(&taken, marks);
        }
        writer.join().unwrap();
    });
}

#[test]
fn marks_hold_through_a_stage_between() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let queues = Arc::new([Queue::default(), Queue::default()]);
        let reached = Arc::new([Reached::default(), Reached::default()]);
        let front = thread::spawn({
            let (queues, reached) = (Arc::clone(&queues), Arc::clone(&reached));
            move || {
                for end_ms in [10, 20] {
                    queues[0].push(end_ms);
                    reached[0].tell(settled(end_ms + 1));
                }
            }
        });
        let between = thread::spawn({
            let (queues, reached) = (Arc::clone(&queues), Arc::clone(&reached));
            move || {
                for _ in 0..2 {
                    let marks = reached[0].read();
                    for end_ms in queues[0].take_all() {
                        queues[1].push(end_ms);
                    }
                    reached[1].tell(marks);
                }
            }
        });
        let marks = reached[1].read();
        let taken = queues[1].take_all();
        assert_complete(&taken, marks);
        front.join().unwrap();
        between.join().unwrap();
    });
}

#[test]
fn a_leg_that_ended_has_its_last_marks_and_all_it_said() {
    loom::model(|| {
        let queue = Arc::new(Queue::default());
        let leg = Arc::new((Reached::default(), LegEnd::default()));
        let writer = thread::spawn({
            let (queue, leg) = (Arc::clone(&queue), Arc::clone(&leg));
            move || {
                queue.push(10);
                leg.0.tell(settled(11));
                queue.push(20);
                leg.0.tell(Marks::OVER);
                leg.1.tell(25);
            }
        });
        let (reached, ended) = &*leg;
        let duration_ms = ended.read();
        let marks = reached.read();
        let taken = queue.take_all();
        assert_complete(&taken, marks);
        if let Some(duration_ms) = duration_ms {
            assert_eq!((duration_ms, marks), (25, Marks::OVER));
            assert_eq!(taken, [10, 20]);
        }
        writer.join().unwrap();
    });
}
