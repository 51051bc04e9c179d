#!/usr/bin/env python3
"""Checks the proofs and digests of a Chainhound evidence bundle, with nothing but Python's standard library.

    python3 verify_bundle.py BUNDLE.zip [--public-key KEY]

A second pair of eyes: written from the format (crates/cases/README.md), not from the other verifier. It does not
compute the traces again; `chainhound case verify` does. Exit codes: 0 everything holds, 1 something is wrong.
"""

import base64
import hashlib
import json
import re
import struct
import sys
import tomllib
import zlib

MAX_BYTES, MAX_FILES = 2 << 30, 64
ROLES = ("passed", "named", "source")

# Blocks whose hashes are known beforehand: block 0 of each network, and some of mainnet.
GENESIS = {
    "mainnet": "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
    "testnet3": "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
    "testnet4": "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
    "signet": "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
    "regtest": "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
}
MAINNET = {
    11111: "0000000069e244f73d78e8fd29ba2fd2ed618bd6fa2ee92559f542fdb26e7c1d",
    33333: "000000002dd5588a74784eaa7ab0507a18ad16a236e7b1ce69f00d7ddfb5d0a6",
    74000: "0000000000573993a3c9e41ce34471c079dcf5f52a0e824a81e7f953b8661a20",
    105000: "00000000000291ce28027faea320c8d2b054b2e0fe44a773f3eefb151d6bdc97",
    134444: "00000000000005b12ffd4cd315cd34ffd4a594f430ac814c91184a0d42d2b0fe",
    168000: "000000000000099e61ea72015e79632f216fe6cb33d7899acb35b75c8303b763",
    193000: "000000000000059f452a5f7340de6682a977387c17010ff6e6c3bd83ca8b1317",
    210000: "000000000000048b95347e83192f69cf0366076336c639f9b7228e9ba171342e",
    250000: "000000000000003887df1f29024b06fc2200b55f8af8f35453d7be294df2d214",
    279000: "0000000000000001ae8c72a0b0c301f67e3afca10e819efa9041e458e9bd7e40",
    295000: "00000000000000004d9b4ef50f0f9d686fd69db2e03af35a100370c64632a983",
    566495: "0000000000000000002296c06935b34f3ed946d98781ff471a99101796e8611b",
    606815: "000000000000000000067b904af747b653ba448a79779f7846bf1ea5537b8a4d",
    647135: "0000000000000000000657c7aa925caa49d18e0c02cab9992be315012d8fab06",
    701567: "0000000000000000000515117969caee77eadd03b30d8d50d044269172d844d8",
    747935: "00000000000000000001095f6deb27964f80c74f38217a32044c20265e0f40e3",
    796319: "0000000000000000000062afa9e3b9df5eee17c2edfc89f60778afe3abccb593",
    830591: "000000000000000000005b3388af9acbfd8c00b5b3ec888a75085011cc69cbb2",
    844703: "00000000000000000000a2a87e6a371a8d2e63eb61a051333c7a3251b717c723",
    864863: "00000000000000000001924bab37e9d87715e84aa7bcd0b52405f893dfe7005f",
    893087: "00000000000000000000ca2f64794d814b198eb237974573222e4521545582d5",
    919295: "00000000000000000001d4b4cbfc67c0904765c9b6d6dd00ac3a72fd4efaac90",
}
# The easiest target of each network, as a power of two or a number.
LIMIT = {
    "mainnet": 0xFFFF << 208, "testnet3": 0xFFFF << 208, "testnet4": 0xFFFF << 208,
    "signet": 0x377AE << 216, "regtest": 0x7FFFFF << 232,
}

class Fault(Exception):
    """Something in the bundle is not what it must be."""

def need(condition, text):
    if not condition:
        raise Fault(text)

def sha256(data):
    return hashlib.sha256(data).hexdigest()

def double(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()

def shown(digest):
    return digest[::-1].hex()

# The container: the only bytes that these files can be packed to.

def header_middle(name, data, crc):
    return struct.pack("<HHHHHIIIHH", 10, 0, 0, 0, 0x21, crc, len(data), len(data), len(name), 0)

def unpack(blob):
    need(len(blob) <= MAX_BYTES, "container: larger than a bundle can be")
    files, at = {}, 0
    while blob[at:at + 4] == b"PK\x03\x04":
        need(len(files) < MAX_FILES, "container: more than 64 files")
        need(at + 30 <= len(blob), "container: ends inside of a file")
        method, crc = struct.unpack_from("<H", blob, at + 8)[0], struct.unpack_from("<I", blob, at + 14)[0]
        size, name_len = struct.unpack_from("<I", blob, at + 18)[0], struct.unpack_from("<H", blob, at + 26)[0]
        raw = blob[at + 30:at + 30 + name_len]
        name = raw.decode("ascii", "replace")
        need(re.fullmatch(r"[A-Za-z0-9._/-]{1,100}", name), f"container: byte {at}: '{name}' is no name")
        need(all(part and part[0] != "." for part in name.split("/")), f"container: {name} leads out of the bundle")
        need(not files or name > max(files), f"container: {name} is there twice, or not in its place")
        need(method == 0, f"container: {name} is compressed")
        start = at + 30 + name_len
        data = blob[start:start + size]
        need(len(data) == size, f"container: {name} ends too early")
        need(zlib.crc32(data) == crc, f"container: {name}: its CRC-32 is another: damaged")
        files[name] = data
        at = start + size
    need(files, "container: no zip file starts here")
    local, central = b"", b""
    parts, offset = [], 0
    for name, data in files.items():
        raw, middle = name.encode(), header_middle(name, data, zlib.crc32(data))
        local = b"PK\x03\x04" + middle + raw
        parts += [local, data]
        central += b"PK\x01\x02\x0a\x00" + middle + bytes(10) + struct.pack("<I", offset) + raw
        offset += len(local) + len(data)
    count = len(files)
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, len(central), offset, 0)
    whole = b"".join(parts + [central, end])
    if whole != blob:
        place = next((i for i, (a, b) in enumerate(zip(whole, blob)) if a != b), min(len(whole), len(blob)))
        raise Fault(f"container: byte {place}: not what it must be in a bundle")
    return files

# Ed25519 (RFC 8032), for checking only: slow, plain, enough for one signature.

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)

def recover(y, sign):
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x

def point(data):
    number = int.from_bytes(data, "little")
    y, sign = number & ((1 << 255) - 1), number >> 255
    x = recover(y, sign)
    return None if x is None else (x, y, 1, x * y % P)

def add(one, two):
    a, b = (one[1] - one[0]) * (two[1] - two[0]) % P, (one[1] + one[0]) * (two[1] + two[0]) % P
    c, d = 2 * one[3] * two[3] * D % P, 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P

def times(number, at):
    result = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = add(result, at)
        at, number = add(at, at), number >> 1
    return result

def same(one, two):
    return (one[0] * two[2] - two[0] * one[2]) % P == 0 and (one[1] * two[2] - two[1] * one[2]) % P == 0

BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))

def signed(public, message, signature):
    key, first = point(public), point(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or first is None or scalar >= ORDER or same(times(8, key), (0, 1, 1, 0)):
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    challenge = int.from_bytes(digest, "little") % ORDER
    return same(times(scalar, BASE), add(first, times(challenge, key)))

def check_signature(files, wanted):
    if "manifest.json.minisig" not in files and "manifest.json.pub" not in files:
        need(not wanted, "signature: the bundle is not signed")
        return "not signed"
    need("manifest.json.minisig" in files and "manifest.json.pub" in files, "signature: a part of it is missing")
    try:
        comment, encoded = files["manifest.json.pub"].decode().splitlines()
        lines = files["manifest.json.minisig"].decode().splitlines()
        key, own = base64.b64decode(encoded, validate=True), base64.b64decode(lines[1], validate=True)
        whole = base64.b64decode(lines[3], validate=True)
        trusted = lines[2].removeprefix("trusted comment: ").encode()
    except (ValueError, IndexError) as error:
        raise Fault(f"signature: cannot be read: {error}") from error
    need(len(key) == 42 and key[:2] == b"Ed", "signature: manifest.json.pub is no key")
    need(len(own) == 74 and own[:2] == b"ED" and len(whole) == 64, "signature: is none")
    need(own[2:10] == key[2:10], "signature: is of another key")
    text = f"untrusted comment: minisign public key {key[9:1:-1].hex().upper()}\n{encoded}\n"
    need(files["manifest.json.pub"].decode() == text, "signature: manifest.json.pub is not in its one form")
    first, second = base64.b64encode(own).decode(), base64.b64encode(whole).decode()
    text = (f"untrusted comment: signature of manifest.json\n{first}\n"
            f"trusted comment: {trusted.decode()}\n{second}\n")
    need(files["manifest.json.minisig"].decode() == text, "signature: manifest.json.minisig is not in its one form")
    need(not wanted or wanted.strip().splitlines()[-1] == encoded, f"signature: is by {encoded}, not by the key named")
    digest = hashlib.blake2b(files["manifest.json"]).digest()
    need(signed(key[10:], digest, own[10:]), "signature: is not of manifest.json")
    need(signed(key[10:], own[10:] + trusted, whole), "signature: its trusted comment was changed")
    return f"by {encoded}"

def check_manifest(files):
    need("manifest.json" in files, "manifest.json: is not in the bundle")
    manifest = json.loads(files["manifest.json"])
    need(manifest.get("schema") == "chainhound.case.bundle.v1", "manifest.json: of another schema")
    form = json.dumps(manifest, indent=2, ensure_ascii=False).encode() + b"\n"
    need(form == files["manifest.json"], "manifest.json: is not in its one form")
    listed = [entry["name"] for entry in manifest["files"]]
    need(listed == sorted(set(listed)), "manifest.json: its files are not sorted")
    for entry in manifest["files"]:
        name = entry["name"]
        need(name in files, f"{name}: is in the manifest and not in the bundle")
        need(len(files[name]) == entry["bytes"], f"{name}: has {len(files[name])} bytes, the manifest says {entry['bytes']}")
        found = sha256(files[name])
        need(found == entry["sha256"], f"{name}: has SHA-256 {found}, the manifest says {entry['sha256']}")
    outside = {"manifest.json", "manifest.json.minisig", "manifest.json.pub"}
    for name in set(files) - set(listed) - outside:
        raise Fault(f"{name}: is in the bundle and not in the manifest")
    return f"{len(listed)} files have the digests that it lists"

def check_log(files):
    before = "0" * 64
    lines = files["log.jsonl"].split(b"\n")
    need(len(lines) > 1 and lines.pop() == b"", "log.jsonl: does not end with a line")
    for number, line in enumerate(lines):
        entry = json.loads(line)
        need(entry["before"] == before, f"log.jsonl: line {number + 1}: does not follow the line before")
        need(entry["n"] == number, f"log.jsonl: line {number + 1}: has another number")
        detail = entry["detail"]
        if "file" in detail and "sha256" in detail:
            found = sha256(files.get(detail["file"], b""))
            need(found == detail["sha256"], f"log.jsonl: line {number + 1}: {detail['file']} has another digest")
        before = sha256(line)
    return f"{len(lines)} lines, each with the digest of the one before"

def target_of(bits):
    size, word = bits >> 24, bits & 0x7FFFFF
    need(not bits & 0x800000 and word, "its target is none")
    return word << 8 * (size - 3) if size > 3 else word >> 8 * (3 - size)

def bits_of(target):
    size = (target.bit_length() + 7) // 8
    word = target >> 8 * (size - 3) if size > 3 else target << 8 * (3 - size)
    if word & 0x800000:
        word, size = word >> 8, size + 1
    return size << 24 | word

def retarget(bits, seconds, limit):
    fortnight = 14 * 24 * 3600
    seconds = min(max(seconds, fortnight // 4), fortnight * 4)
    return min(target_of(bits) * seconds // fortnight, limit)

def check_headers(files, network, provenance):
    blob, first, limit = files["headers.bin"], provenance["headers"]["first"], LIMIT[network]
    need(len(blob) % 80 == 0 and blob, "headers.bin: does not consist of headers of 80 bytes")
    headers = [blob[at:at + 80] for at in range(0, len(blob), 80)]
    known = GENESIS[network] if first == 0 else MAINNET.get(first) if network == "mainnet" else None
    need(known and shown(double(headers[0])) == known, f"headers.bin: block {first} is no checkpoint")
    need(provenance["checkpoint"] == {"height": first, "hash": known}, "provenance.json: has another checkpoint")
    work, before = 0, None
    for height, header in enumerate(headers, first):
        try:
            bits, own = struct.unpack_from("<I", header, 72)[0], double(header)
            target = target_of(bits)
            need(target <= limit, "its target is easier than the network's")
            need(int.from_bytes(own, "little") <= target, "it has no proof of work")
            if before is not None:
                need(header[4:36] == double(before), "it does not build on the block before")
                last = struct.unpack_from("<I", before, 72)[0]
                if network not in ("testnet3", "testnet4"):
                    if network == "regtest" or height % 2016:
                        need(bits == last, "its target is not that of the block before")
                    elif height - 2016 >= first:
                        start = struct.unpack_from("<I", headers[height - 2016 - first], 68)[0]
                        seconds = struct.unpack_from("<I", before, 68)[0] - start
                        need(bits == bits_of(retarget(last, seconds, limit)), "its target breaks the rules of difficulty")
                    else:
                        low, high = (target_of(bits_of(retarget(last, s, limit))) for s in (0, 1 << 32))
                        need(low <= target <= high, "its target is too far from the one before")
        except Fault as fault:
            raise Fault(f"headers.bin: block {height}: {fault}") from fault
        work += (1 << 256) // (target + 1)
        before = header
    as_of = provenance["as_of"]
    need(as_of == {"height": first + len(headers) - 1, "hash": shown(double(headers[-1]))},
         "headers.bin: does not end at the block that provenance.json names")
    need(str(work) == provenance["headers"]["work"], f"headers.bin: has work {work}, and provenance.json says otherwise")
    return headers, f"{len(headers)} linked headers from checkpoint {first}, work {work}"

def compact(raw, at):
    first = raw[at]
    if first < 0xFD:
        return first, at + 1
    width = {0xFD: 2, 0xFE: 4, 0xFF: 8}[first]
    return int.from_bytes(raw[at + 1:at + 1 + width], "little"), at + 1 + width

def parse(raw):
    """The outpoints that a transaction without witnesses spends, and how many outputs it has."""
    spends, (count, at) = [], compact(raw, 4)
    for _ in range(count):
        need(at + 36 <= len(raw), "ends too early")
        spends.append((shown(raw[at:at + 32]), int.from_bytes(raw[at + 32:at + 36], "little")))
        size, at = compact(raw, at + 36)
        at += size + 4
    outputs, at = compact(raw, at)
    for _ in range(outputs):
        need(at + 8 <= len(raw), "ends too early")
        size, at = compact(raw, at + 8)
        at += size
    need(spends and outputs and at + 4 == len(raw), "is not a transaction without witnesses")
    return spends, outputs

def check_path(line, header):
    node, place, last = bytes.fromhex(line["txid"])[::-1], line["position"], False
    need(len(line["path"]) <= 15 and place >> len(line["path"]) == 0, "its path does not fit its place")
    for text in line["path"]:
        sibling = bytes.fromhex(text)[::-1]
        need(len(sibling) == 32, "its path has a hash that is none")
        if node == sibling:
            need(place % 2 == 0, "repeated transactions (CVE-2012-2459)")
            last = True
        else:
            need(not last or place % 2, "repeated transactions (CVE-2012-2459)")
        node = double(sibling + node) if place % 2 else double(node + sibling)
        place >>= 1
    need(node == header[36:68], "its path does not lead to the Merkle root in the header")

def check_transactions(files, headers, provenance):
    first, counts, known, passed = provenance["headers"]["first"], dict.fromkeys(ROLES, 0), {}, []
    lines = files["transactions.jsonl"].decode().splitlines()
    for number, text in enumerate(lines, 1):
        line = json.loads(text)
        txid = line["txid"]
        try:
            raw = bytes.fromhex(line["raw"])
            need(shown(double(raw)) == txid, "its bytes do not hash to its id")
            need(txid not in known, "is there twice")
            spends, outputs = parse(raw)
            known[txid] = outputs
            counts[line["role"]] += 1
            if line["role"] == "source":
                need(not {"height", "position", "path"} & set(line), "a source has no place")
                continue
            need(len(raw) != 64, "has 64 bytes, like two hashes (CVE-2017-12842)")
            need(0 <= line["height"] - first < len(headers), "there is no header of its block")
            check_path(line, headers[line["height"] - first])
            coinbase = spends == [("0" * 64, 0xFFFFFFFF)]
            need(coinbase == (line["position"] == 0), "a coinbase, and only it, is the first of its block")
            if line["role"] == "passed" and not coinbase:
                passed.append((number, txid, spends))
        except (Fault, KeyError, IndexError, ValueError) as fault:
            raise Fault(f"transactions.jsonl: line {number}: {txid}: {fault}") from fault
    for number, txid, spends in passed:
        for source, vout in spends:
            need(vout < known.get(source, 0),
                 f"transactions.jsonl: line {number}: {txid} spends {source}:{vout}, which is not in the bundle")
    need(counts == provenance["transactions"], "provenance.json: counts other transactions than there are")
    return f"{counts['passed'] + counts['named']} are in their blocks, {counts['source']} more show values"

def verify(blob, wanted):
    files = unpack(blob)
    print(f"container     {len(files)} files, {len(blob)} bytes, in the one form")
    print(f"manifest      {check_manifest(files)}")
    print(f"signature     {check_signature(files, wanted)}")
    for name in ("case.toml", "headers.bin", "labels.jsonl", "log.jsonl", "provenance.json", "transactions.jsonl", "unspent.txt"):
        need(name in files, f"{name}: is not in the bundle")
    case, provenance = tomllib.loads(files["case.toml"].decode()), json.loads(files["provenance.json"])
    network = provenance["network"]
    need(network == case.get("network", "mainnet") and network in GENESIS, "provenance.json: is of another network than the case")
    for policy in provenance["policies"]:
        need(f"results/{policy}.jsonl" in files, f"results/{policy}.jsonl: is not in the bundle")
    print(f"log           {check_log(files)}")
    headers, text = check_headers(files, network, provenance)
    print(f"headers       {text}")
    print(f"transactions  {check_transactions(files, headers, provenance)}")
    print("good: every digest and proof holds; the traces were not computed again")

def main(arguments):
    wanted = None
    if len(arguments) == 3 and arguments[1] == "--public-key":
        wanted = arguments.pop()
        arguments.pop()
    if len(arguments) != 1:
        sys.exit(__doc__)
    try:
        with open(arguments[0], "rb") as file:
            verify(file.read(MAX_BYTES + 1), wanted)
    except Fault as fault:
        sys.exit(f"BAD: {fault}")
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as error:
        sys.exit(f"BAD: a file cannot be read: {type(error).__name__}: {error}")

if __name__ == "__main__":
    main(sys.argv[1:])
