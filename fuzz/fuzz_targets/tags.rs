//! A document of tags in each format, and the bytes of a tag set: whatever they say, no panic; what
//! was taken survives the way out and in.

#![no_main]

use chain::Network;
use intel::{Document, Settings, TagSet, TagSetBuilder};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for name in ["x.yaml", "x.json", "x.csv", "sanctioned_addresses_XBT.txt"] {
        let settings = Settings::new(Network::Mainnet);
        let Ok(import) = intel::import(Document { name, bytes }, &settings) else { continue };
        let mut builder = TagSetBuilder::new(Network::Mainnet);
        let Ok(Ok(set)) = builder.add(&import).map(|builder| builder.build()) else { continue };
        let mut again = TagSetBuilder::new(Network::Mainnet);
        for exported in intel::export(&set, |_| true) {
            let document = Document { name: &exported.name, bytes: exported.yaml.as_bytes() };
            let import = intel::import(document, &settings).expect("an export can be read");
            again.add(&import).expect("of the same network");
        }
        assert_eq!(again.build().expect("as small as the first").digest(), set.digest());
    }
    let _ = TagSet::from_bytes(bytes.to_vec());
});
