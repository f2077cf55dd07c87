"""The laws of several devices, run by tests/test_several_devices.py in processes with eight of them."""
