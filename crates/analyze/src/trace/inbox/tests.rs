use super::*;

fn entry(source: u64) -> Entry<u64> {
    Entry { source, coinbase: source % 2 == 1, hops: 7, mark: source * 10 }
}

/// For an inbox that does not merge.
fn apart(_: u64, mark: u64) -> u64 {
    mark
}

#[test]
fn deliveries_come_up_in_order_and_once() {
    let far = 3 << BITS;
    let mut inbox: Inbox<u64, ()> = Inbox::new(far + 10, vec![far + 1, 2]);
    inbox.push(far, entry(1), |mark, _| mark, apart);
    inbox.push(5, entry(2), |mark, _| mark, apart);
    inbox.push(far, entry((1 << 48) - 1), |mark, _| mark, apart);
    let mut seen = Vec::new();
    while let Some(slot) = inbox.next(apart) {
        let mut sources = Vec::new();
        inbox.take(slot, |entry, _| {
            assert_eq!(entry.mark, entry.source * 10);
            assert_eq!((entry.coinbase, entry.hops), (entry.source % 2 == 1, 7));
            sources.push(entry.source);
        });
        seen.push((slot, sources));
        if slot == 5 {
            inbox.push(6, entry(3), |mark, _| mark, apart);
            inbox.push(far + 1, entry(4), |mark, _| mark, apart);
        }
    }
    let expected = vec![
        (2, vec![]),
        (5, vec![2]),
        (6, vec![3]),
        (far, vec![(1 << 48) - 1, 1]),
        (far + 1, vec![4]),
    ];
    assert_eq!(seen, expected);
    assert_eq!((inbox.waiting, inbox.peak()), (0, 4));
}

/// Enough for chunks to be sorted, and deliveries to the open chunk meanwhile.
#[test]
fn many_deliveries_lose_nothing() {
    let slots = 5 * CHUNK as u32;
    let mut inbox: Inbox<u64, u8> = Inbox::new(slots, vec![]);
    let mut expected = std::collections::BTreeMap::<u32, Vec<u64>>::new();
    let mut random = 1u32;
    let mut draw = |from: u32| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        from + (random >> 8) % (slots - from)
    };
    let mut push = |inbox: &mut Inbox<u64, u8>, slot: u32, source: u64| {
        inbox.push(
            slot,
            entry(source),
            |mark, items| {
                items.push(source as u8);
                mark
            },
            apart,
        );
        expected.entry(slot).or_default().push(source);
    };
    for source in 0..3 * CHUNK as u64 {
        push(&mut inbox, draw(0), source);
    }
    let mut found = Vec::new();
    let mut source = 3 * CHUNK as u64;
    while let Some(slot) = inbox.next(apart) {
        let mut sources = Vec::new();
        inbox.take(slot, |entry, _| sources.push(entry.source));
        sources.sort_unstable();
        found.push((slot, sources));
        if slot % 7 == 0 && slot + 1 < slots {
            push(&mut inbox, draw(slot + 1).min(slot + 100), source);
            source += 1;
        }
    }
    assert!(found.iter().map(|(slot, _)| slot).is_sorted());
    assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
    assert_eq!(inbox.waiting, 0);
}

/// Whatever arrives in which chunk, merged or one by one: the same sums, least hops and slots.
#[test]
fn merged_deliveries_are_the_sums_of_all() {
    let slots = 3 * CHUNK as u32;
    let run = |merging: bool| {
        let inbox: Inbox<u64, ()> = Inbox::new(slots, vec![7, CHUNK as u32]);
        let mut inbox = if merging { inbox.merging(0) } else { inbox };
        let add = |one: u64, two: u64| one + two;
        let mut random = 9u32;
        let mut push = |inbox: &mut Inbox<u64, ()>, from: u32, source: u64| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let slot = from + (random >> 8) % (slots - from);
            let hops = random >> 28;
            let entry = Entry { source, coinbase: source.is_multiple_of(5), hops, mark: source };
            inbox.push(slot, entry, |mark, _| mark, add);
        };
        (1..9000).for_each(|source| push(&mut inbox, 0, source));
        let mut seen = Vec::new();
        while let Some(slot) = inbox.next(add) {
            let (mut sum, mut least, mut coinbase) = (0, u32::MAX, Vec::new());
            inbox.take(slot, |entry, _| {
                if entry.coinbase {
                    coinbase.push((entry.source, entry.hops, entry.mark));
                } else {
                    sum += entry.mark;
                    least = least.min(entry.hops);
                }
            });
            coinbase.sort_unstable();
            seen.push((slot, sum, least, coinbase));
            if slot % 9 == 0 && slot + 1 < slots {
                push(&mut inbox, slot + 1, u64::from(slot));
            }
        }
        assert_eq!(inbox.waiting, 0);
        (seen, inbox.peak())
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn an_empty_inbox_ends_at_once() {
    assert_eq!(Inbox::<u64, ()>::new(0, vec![]).next(apart), None);
    assert_eq!(Inbox::<u64, ()>::new(1 << 20, vec![]).next(apart), None);
}
