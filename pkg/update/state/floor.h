/* update/state/floor.h - anti-rollback: the highest sequence of a release that this node has committed.
 *
 * Two sealed files (codec/seal.h), <folder>/floor.0 and floor.1, hold the number in decimal; the higher of the valid
 * ones counts, so that one damaged block on the card does not admit an old release. The floor is raised at the commit,
 * never before: until then the old version must stay allowed. All functions block. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"

/* Reads the floor. *ret_sequence: 0 if nothing is committed. *ret_damaged: number of damaged copies, which are set
 * aside now. */
HF_MUST_USE int hf_floor_load(const struct hf_fs_ops *fs, const char *folder, uint64_t *ret_sequence,
                              unsigned *ret_damaged, struct hf_err *err);

/* Raises the floor to `sequence`. A lower value changes nothing, but repairs a copy that is missing or behind. */
HF_MUST_USE int hf_floor_raise(const struct hf_fs_ops *fs, const char *folder, uint64_t sequence, struct hf_err *err);
