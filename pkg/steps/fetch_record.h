/* SPDX-License-Identifier: Apache-2.0 */
/* Progress of a download, in two sealed files of <state>/updates/<release>:
 *
 *   fetch      to resume after power cuts: written durably from time to time, after a sync of the content
 *   fetch.now  to resume after a kill -9, until a reboot: written after most writes of content, and never synced, to
 *              spare flash storage
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
    char key[128];
    /* valid bytes on disk; synced, unless only fetch.now has them */
    uint64_t offset;
    uint64_t synced; /* how many of them are synced; not stored */
    /* bytes received for this release by then */
    uint64_t wire;
    bool complete;
    bool packed;   /* is a .zst or .xz */
    char boot[40]; /* in fetch.now: the boot of its writer; else "" */
    char etag[HF_HTTP_HEADER_VALUE];
    char last_modified[HF_HTTP_HEADER_VALUE];
};

/* Loads the record of `key`: the synced one, or fetch.now if that is valid and further on; without both, an empty
 * one. */
HF_MUST_USE int hf_fetch_record_load(const struct hf_fs_ops *fs, const char *folder, const char *key,
                                     struct hf_fetch_record *ret_record, struct hf_err *err);
HF_MUST_USE int hf_fetch_record_save(const struct hf_fs_ops *fs, const char *folder,
                                     const struct hf_fetch_record *record, struct hf_err *err);
HF_MUST_USE int hf_fetch_record_remove(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);

/* Writes fetch.now without a sync. `shorter`: truncates it first, because the text may be shorter than the old one. */
HF_MUST_USE int hf_fetch_record_note(const struct hf_fs_ops *fs, int fd, const struct hf_fetch_record *record,
                                     bool shorter, struct hf_err *err);
HF_MUST_USE int hf_fetch_record_open(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err);

extern const struct hf_record_type hf_fetch_record_type;
