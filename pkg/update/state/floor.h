/* update/state/floor.h - anti-rollback: the highest sequence of a release that this node has committed.
 *
 * Two sealed files (codec/seal.h), <folder>/floor.0 and floor.1, both hold the number in decimal. The higher number of
 * the undamaged files counts, so that one damaged block on the card does not let an old release in. The engine raises
 * the floor at the commit and never before, because the old version must stay allowed until then. All functions
 * block. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"

/* Reads the floor. *ret_sequence is 0 if this node has committed nothing. *ret_damaged is the number of damaged files,
 * which this call has set aside. */
HF_MUST_USE int hf_floor_load(const struct hf_fs_ops *fs, const char *folder, uint64_t *ret_sequence,
                              unsigned *ret_damaged, struct hf_err *err);

/* Raises the floor to `sequence`. A lower value leaves the floor as it is. In any case, the call writes a file again
 * that is missing or has a lower number. */
HF_MUST_USE int hf_floor_raise(const struct hf_fs_ops *fs, const char *folder, uint64_t sequence, struct hf_err *err);
