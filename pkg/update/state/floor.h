/* update/state/floor.h - anti-rollback: the highest sequence this node has committed of a release.
 *
 * Two sealed files (codec/seal.h), <folder>/floor.0 and floor.1, with the number in decimal; the higher of the valid ones counts, so that one damaged block on the card does not open the door to an old release. Raised when a
 * release is committed, never before: until then the old version must stay allowed. Blocks. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"

/* *ret_sequence: 0 when nothing was committed. *ret_damaged: how many copies were damaged and are set aside now. */
HF_MUST_USE int hf_floor_load(const struct hf_fs_ops *fs, const char *folder, uint64_t *ret_sequence,
                              unsigned *ret_damaged, struct hf_err *err);

/* Raise to `sequence`; lower values change nothing but repair a copy that is missing or behind. */
HF_MUST_USE int hf_floor_raise(const struct hf_fs_ops *fs, const char *folder, uint64_t sequence, struct hf_err *err);
