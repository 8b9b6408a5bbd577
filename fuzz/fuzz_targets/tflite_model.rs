#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| greenroom_matte::fuzzing::model(data));
