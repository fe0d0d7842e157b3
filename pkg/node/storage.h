/* node/storage.h - which kind of medium carries a block device. Part of node/facts. */
#pragma once

#include "node/facts.h"
#include "node/probe.h"

/* From a device number as stat(2) gives it. A number of major 0 (btrfs, overlay, tmpfs) is looked up in
 * /proc/self/mountinfo; partitions, LVM, md and dm-crypt are followed down to what they stand on. */
enum hf_storage hf_storage_of(const struct hf_probe_root *at, unsigned major, unsigned minor);
