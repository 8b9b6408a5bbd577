#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| greenroom_device::fuzzing::target("clip_demux")(data));
