//! Which of burn's back ends networks run on: the processor's, or that of a graphics card by one of
//! the cargo features `cuda` and `wgpu`.

use burn::tensor::Device;

/// The device for new tensors, without gradients.
pub fn device() -> Device {
    #[cfg(feature = "cuda")]
    return Device::cuda(0);
    #[cfg(all(feature = "wgpu", not(feature = "cuda")))]
    return Device::wgpu(burn::tensor::DeviceKind::DefaultDevice);
    #[cfg(not(any(feature = "cuda", feature = "wgpu")))]
    Device::flex()
}

/// Whether tensors of this device lie in the processor's memory, so that fused blocks can run.
pub(crate) fn is_processor(device: &Device) -> bool {
    device.clone().inner() == Device::flex()
}
