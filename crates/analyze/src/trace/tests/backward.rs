use super::*;

/// 40 and 60 come together and are paid out as 30, 50 and 10, with a fee of 10.
const MIX: &str = "
    block
    tx one: coinbase -> A:40sat
    block
    tx two: coinbase -> B:60sat
    block
    tx mix: one:0 two:0 -> C:30sat D:50sat E:10sat
";

#[test]
fn haircut_asks_inputs_in_proportion() {
    check(MIX, "haircut backward from mix:1", "one:0 20 coinbase\n two:0 30 coinbase");
    // 10 of 100: 4 and 6. Of 7: 2.8 and 4.2.
    check(
        &MIX.replace("E:10sat", "E:7sat"),
        "haircut backward from mix:2",
        "one:0 3 coinbase\n two:0 4 coinbase",
    );
}

#[test]
fn fifo_and_lifo_run_backwards() {
    // mix:1 are satoshis 30 to 79 of the queue.
    check(MIX, "fifo backward from mix:1", "one:0 10 coinbase\n two:0 40 coinbase");
    // The same places counted from the end: 20 to 69.
    check(MIX, "lifo backward from mix:1", "one:0 20 coinbase\n two:0 30 coinbase");
}

#[test]
fn tiho_draws_on_the_highest() {
    check(MIX, "tiho backward from mix:1", "two:0 50 coinbase");
    check(MIX, "tiho backward from mix", "one:0 30 coinbase\n two:0 60 coinbase");
}

#[test]
fn poison_and_bounds() {
    check(MIX, "poison backward from mix:2", "one:0 40 coinbase\n two:0 60 coinbase");
    // 50 of 100 are asked for: 40 come from elsewhere at most, so 10 are from the 60.
    check(MIX, "bounds backward from mix:1", "one:0 0..40 coinbase\n two:0 10..50 coinbase");
}

#[test]
fn a_root_that_was_spent_and_one_that_others_come_from() {
    let text = [MIX, "block\n tx next: mix:1 mix:2 -> F:60sat"].concat();
    check(&text, "haircut backward from mix:2", "one:0 4 coinbase\n two:0 6 coinbase");
    // All of mix:2 went into next:0: it belongs to that root already.
    check(
        &text,
        "fifo backward from next:0 mix:2 apart",
        "one:0 10 [0:10] coinbase\n two:0 50 [0:50] coinbase",
    );
    check(
        &text,
        "fifo backward from mix:2 next:0 apart",
        "one:0 10 [1:10] coinbase\n two:0 50 [1:50] coinbase",
    );
}

#[test]
fn stops() {
    let text = [MIX, "block\n tx next: mix:1 mix:2 -> F:60sat"].concat();
    check(&text, "fifo backward from next:0 hops=1", "mix:1 50 hops\n mix:2 10 hops");
    check(
        &text,
        "fifo backward from next:0 stop=E",
        "mix:2 10 address\n one:0 10 coinbase\n two:0 40 coinbase",
    );
    check(
        &text,
        "fifo backward from next:0 min=20",
        "mix:2 10 value\n one:0 10 coinbase\n two:0 40 coinbase",
    );
    check(&text, "fifo backward from next:0 until=3", "mix:1 50 height\n mix:2 10 height");
    check(&text, "fifo backward from next:0 budget=1", "mix:1 50 budget\n mix:2 10 budget");
}
