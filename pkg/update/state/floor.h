/* update/state/floor.h - the floor of a release name: the highest sequence that this node has committed. It prevents a
 * return to an older signed release.
 *
 * Two sealed files (codec/seal.h), <folder>/floor.0 and floor.1, both hold the floor in decimal. The floor is the
 * highest number in an undamaged file, so that one damaged block on the card does not let an old release in. The engine
 * raises the floor at the commit of an update and never before, because the old version must stay allowed until the
 * commit. All functions block. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"

/* Reads the floor. *ret_sequence is 0 if this node has committed no release of this name. *ret_damaged is the number of
 * damaged files, which this call has renamed (update/state/sealed_file.h). */
HF_MUST_USE int hf_floor_load(const struct hf_fs_ops *fs, const char *folder, uint64_t *ret_sequence,
                              unsigned *ret_damaged, struct hf_err *err);

/* Raises the floor to `sequence`. A `sequence` below the floor does not change the floor. In both cases, writes a file
 * again if it is missing, is damaged or has a lower number than the floor. */
HF_MUST_USE int hf_floor_raise(const struct hf_fs_ops *fs, const char *folder, uint64_t sequence, struct hf_err *err);
