//! A writer allocates nothing once it is under way: it runs beside thousands of others on a thread that must not wait.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use auricle_spool::{Audio, Encoding, KeyRing, Record, RecordingWriter, Start, WriterLimits};

thread_local! {
    static N_ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's, counting for each thread what is asked of it.
struct Counting;

#[expect(
    unsafe_code,
    reason = "an allocator is unsafe; each call goes on as it came"
)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, n_bytes: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(block, layout, n_bytes) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn count() {
    // Where the thread is ending nobody counts any more.
    let _ = N_ALLOCATIONS.try_with(|n_allocations| n_allocations.set(n_allocations.get() + 1));
}

fn n_allocations() -> u64 {
    N_ALLOCATIONS.with(Cell::get)
}

#[test]
fn appending_and_flushing_allocate_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let keys = KeyRing::generate("test".parse().unwrap()).unwrap();
    let start = Start {
        created_unix_ms: 0,
        begin: b"{}",
        limits: WriterLimits::default(),
    };
    let path = folder.path().join("a.arec");
    let mut writer = RecordingWriter::create(&path, &keys, &start).unwrap();
    let payload = [0xff; 160];
    let before = n_allocations();
    assert!(before > 0, "they are counted");
    for n in 0..20_000 {
        for leg in 0..2 {
            let audio = Audio {
                leg,
                at: n * 160,
                encoding: Encoding::Ulaw,
                rate_hz: 8000,
                payload: &payload,
            };
            writer.append(Record::Audio(audio)).unwrap();
        }
        if n % 50 == 49 {
            writer.flush().unwrap();
        }
        if n % 700 == 0 {
            writer.append(Record::Note(b"{\"hold\":true}")).unwrap();
        }
    }
    // A chunk that is full before its flush is sealed on the way.
    for n in 0..150 {
        let audio = Audio {
            leg: 0,
            at: (20_000 + n) * 160,
            encoding: Encoding::Ulaw,
            rate_hz: 8000,
            payload: &payload,
        };
        writer.append(Record::Audio(audio)).unwrap();
    }
    writer.flush().unwrap();
    assert_eq!(n_allocations(), before);
    writer.finish(b"{}").unwrap();
}
