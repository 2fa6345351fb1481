//! Labels and a profile of open things in a Rust program, through the C API.
//!
//!     rustc -g first.rs -l everprof -o first && EVERPROF_OUT=first/ ./first

use std::ffi::{c_char, c_int, c_uint, c_void, CStr, CString};
use std::ptr;

type Set = *const c_void;

extern "C" {
    fn everprof_version() -> *const c_char;
    fn everprof_start_sized(config: *const c_void, size: usize) -> c_int;
    fn everprof_stop() -> c_int;
    fn everprof_labels_current() -> Set;
    fn everprof_labels_attach(set: Set) -> Set;
    fn everprof_labels_derive_v(base: Set, n: c_uint, key_values: *const *const c_char) -> Set;
    fn everprof_profile_new(name: *const c_char) -> *mut c_void;
    fn everprof_profile_add(p: *mut c_void, key: *const c_void, skip: c_uint) -> c_int;
    fn everprof_profile_remove(p: *mut c_void, key: *const c_void) -> c_int;
    fn everprof_profile_count(p: *mut c_void) -> usize;
}

/// The labels of a scope; those before come back when it is dropped, also by a panic.
struct Labels(Set);

impl Labels {
    fn new(key: &str, value: &str) -> Labels {
        let (key, value) = (CString::new(key).unwrap(), CString::new(value).unwrap());
        let pair = [key.as_ptr(), value.as_ptr()];
        // The strings are copied; a set lives for ever.
        unsafe { Labels(everprof_labels_attach(everprof_labels_derive_v(everprof_labels_current(), 2, pair.as_ptr()))) }
    }
}

impl Drop for Labels {
    fn drop(&mut self) {
        unsafe { everprof_labels_attach(self.0) };
    }
}

#[inline(never)]
fn work(n: u64) -> u64 {
    (0..n).fold(0, |sum, i| std::hint::black_box(sum + i * i % 7))
}

fn main() {
    let rc = unsafe { everprof_start_sized(ptr::null(), 0) };
    assert!(rc == 0, "everprof_start: {rc}");
    let jobs = unsafe { everprof_profile_new(c"open_jobs".as_ptr()) };
    let mut sum = 0;
    for (i, endpoint) in ["/search", "/cart", "/search"].into_iter().enumerate() {
        let key = (i + 1) as *const c_void;
        unsafe { everprof_profile_add(jobs, key, 0) };
        let _labels = Labels::new("endpoint", endpoint);
        sum += work(50_000_000);
        unsafe { everprof_profile_remove(jobs, key) };
    }
    unsafe { everprof_profile_add(jobs, 99 as *const c_void, 0) };
    let version = unsafe { CStr::from_ptr(everprof_version()) }.to_str().unwrap();
    println!("everprof {version}, {} job open", unsafe { everprof_profile_count(jobs) });
    std::hint::black_box(sum);
    unsafe { everprof_stop() };
}
