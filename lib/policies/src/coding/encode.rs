//! Bodies into their coded forms.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use kasoku_http_caching::coding::Coding;

/// Levels at which a few kilobytes of text take some tens of microseconds. Brotli's window is kept at 16 KiB:
/// with the usual 4 MiB it spends most of its time on clearing memory.
const GZIP_LEVEL: u32 = 6;
const ZSTD_LEVEL: i32 = 3;
const BROTLI_QUALITY: u32 = 4;
const BROTLI_WINDOW_BITS: u32 = 14;

/// The coded form of `body`, which may well be larger.
pub fn encode(body: &[u8], coding: Coding) -> io::Result<Bytes> {
    let coded = match coding {
        Coding::Gzip => {
            let mut encoder =
                GzEncoder::new(Vec::with_capacity(body.len() / 2), Compression::new(GZIP_LEVEL));
            encoder.write_all(body)?;
            encoder.finish()?
        }
        Coding::Zstd => zstd::bulk::compress(body, ZSTD_LEVEL)?,
        Coding::Brotli => {
            let coded = Vec::with_capacity(body.len() / 2);
            let mut writer = brotli::CompressorWriter::new(coded, 4_096, BROTLI_QUALITY, BROTLI_WINDOW_BITS);
            writer.write_all(body)?;
            writer.into_inner()
        }
    };
    // Its own copy, exactly as large as it is: coded forms are kept and weighed.
    Ok(Bytes::copy_from_slice(&coded))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::*;

    fn decode(coded: &[u8], coding: Coding) -> Vec<u8> {
        let mut plain = Vec::new();
        match coding {
            Coding::Gzip => flate2::read::GzDecoder::new(coded).read_to_end(&mut plain).unwrap(),
            Coding::Zstd => zstd::stream::read::Decoder::new(coded).unwrap().read_to_end(&mut plain).unwrap(),
            Coding::Brotli => brotli::Decompressor::new(coded, 4_096).read_to_end(&mut plain).unwrap(),
        };
        plain
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_coding_reads_back(
            body in proptest::collection::vec(any::<u8>(), 0..2_000),
            repeat in 1_usize..40,
        ) {
            let body = body.repeat(repeat);
            for coding in Coding::ALL {
                prop_assert_eq!(&decode(&encode(&body, coding).unwrap(), coding), &body, "{:?}", coding);
            }
        }
    }

    #[test]
    fn text_becomes_smaller() {
        let body = r#"{"id":1,"title":"A title","price":1200}"#.repeat(100);
        for coding in Coding::ALL {
            assert!(encode(body.as_bytes(), coding).unwrap().len() < body.len() / 10, "{coding:?}");
        }
    }
}
