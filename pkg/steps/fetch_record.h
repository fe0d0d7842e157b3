/* SPDX-License-Identifier: Apache-2.0 */
/* Progress of a download, in two sealed files of <state>/updates/<release>:
 *
 *   fetch      after power cuts: written durably from time to time, after a sync of the content
 *   fetch.now  after a kill -9, until a reboot (by the kernel's boot id): written after each write of content, never
 *   synced, to spare flash storage
 *
 * Functions with `fs` block. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"
#include "codec/state/record.h"
#include "loop/http/http.h"

struct hf_fetch_record {
    char key[128]; /* hf_fetch_params.key */
    /* valid bytes on disk; synced, unless by fetch.now */
    uint64_t offset;
    uint64_t synced; /* so many are synced; not in the files */
    /* received by then for this release (hf_fetch_params.wire_bytes and .moved) */
    uint64_t wire;
    bool complete;
    bool packed;   /* as .zst or .xz */
    char boot[40]; /* of fetch.now's writer; else "" */
    char etag[HF_HTTP_HEADER_VALUE];
    char last_modified[HF_HTTP_HEADER_VALUE];
};

/* The valid record of `key` with the higher offset, or an empty one. */
HF_MUST_USE int hf_fetch_record_load(const struct hf_fs_ops *fs, const char *folder, const char *key,
                                     struct hf_fetch_record *ret_record, struct hf_err *err);
HF_MUST_USE int hf_fetch_record_save(const struct hf_fs_ops *fs, const char *folder,
                                     const struct hf_fetch_record *record, struct hf_err *err);
HF_MUST_USE int hf_fetch_record_remove(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);

/* fetch.now, without a sync. `shorter`: the text may be shorter than the old one, so truncates first. */
HF_MUST_USE int hf_fetch_record_note(const struct hf_fs_ops *fs, int fd, const struct hf_fetch_record *record,
                                     bool shorter, struct hf_err *err);
/* Opens fetch.now for writing; makes it and its folder. */
HF_MUST_USE int hf_fetch_record_open(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);

extern const struct hf_record_type hf_fetch_record_type; /* of both files */
