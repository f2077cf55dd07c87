"""These tests want 8 CPU devices, and a process has the number that it began with: tests/test_several_devices.py runs
them in processes of their own."""
import os

DEVICES = int(os.environ.get("CHAINRULE_TEST_DEVICES", "0"))
if DEVICES:
    from chainrule.engine import set_cpu_device_count

    set_cpu_device_count(DEVICES)
else:
    collect_ignore_glob = ["test_*.py"]
