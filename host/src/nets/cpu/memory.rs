//! Memory that stays with the process between training steps.

/// Asks glibc to keep large freed blocks instead of giving them back.
///
/// A step allocates and frees the same few hundred megabytes; returning them to the system each
/// time and touching fresh pages took a third of the step's processor time. Other systems keep
/// their own way.
pub(crate) fn retain() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        static ONCE: std::sync::Once = std::sync::Once::new();
        // SAFETY: `mallopt` only sets parameters of the allocator, is thread-safe, and both values
        // are in its documented range.
        ONCE.call_once(|| unsafe {
            libc::mallopt(libc::M_MMAP_MAX, 0);
            libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
        });
    }
}
