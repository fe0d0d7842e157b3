/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/delivery/deadletter.h"

#include <inttypes.h>
#include <string.h>

#include "base/format.h"
#include "spool/store.h"

#define HF_DEADLETTER_MAX_BYTES (8ull << 20)

enum { SEGMENT_BYTES = 1 << 20, MAX_TEXT = HF_SPOOL_MAX_PAYLOAD - (64 << 10), MAX_DETAIL = 512 };

static int add_text(struct hf_buf *out, const char *text)
{
    size_t n = strnlen(text, MAX_DETAIL);
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++) {
        unsigned char c = (unsigned char)text[i];
        r = c == '"' || c == '\\'   ? hf_buf_addf(out, "\\%c", c)
            : c < 0x20 || c >= 0x7f ? hf_buf_add(out, "?", 1)
                                    : hf_buf_add(out, &c, 1);
    }
    return r;
}

static int letter(const struct hf_deadletter *where, const struct hf_spool_record *record, struct hf_buf *out)
{
    char time[HF_TIME_TEXT];
    int r = hf_buf_addf(out, "{\"reason\":\"%s\",\"time\":\"%s\",\"sink\":\"", where->reason,
                        hf_format_time(where->unix_ns, time));

    if (r == 0)
        r = add_text(out, where->sink);
    if (r == 0)
        r = hf_buf_addf(out, "\",\"sequence\":%" PRIu64 ",\"detail\":\"", record->sequence);
    if (r == 0)
        r = add_text(out, where->detail);
    if (r == 0)
        r = hf_buf_add_str(out, "\",\"record\":");
    if (r == 0)
        r = hf_buf_add(out, record->payload.p, HF_MIN(record->payload.n, (size_t)MAX_TEXT));
    return r < 0 ? r : hf_buf_add_str(out, "}");
}

static int write_letter(struct hf_spool_store *store, const struct hf_deadletter *where,
                        const struct hf_spool_record *record, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_SPOOL_MAX_PAYLOAD);

    int r = letter(where, record, &text);
    if (r < 0)
        return hf_err_set(err, -r, "write a dead letter");
    struct hf_spool_record copy = {.unix_ns = where->unix_ns, .tag = record->tag, .payload = hf_buf_view(&text)};
    size_t done = 0;
    return hf_spool_store_write(store, &copy, 1, &done, err);
}

int hf_deadletter_add(const struct hf_deadletter *where, const struct hf_spool_record *records, size_t n,
                      struct hf_err *err)
{
    _cleanup_(hf_spool_store_freep) struct hf_spool_store *store = NULL;
    uint64_t state = where->seed;
    struct hf_rand_ops random = {.ctx = &state, .u64 = hf_rand_mix_u64};
    struct hf_spool_store_params params = {.fs = where->fs,
                                           .rng = &random,
                                           .dir = where->dir,
                                           .segment_bytes = SEGMENT_BYTES,
                                           .max_bytes = HF_DEADLETTER_MAX_BYTES,
                                           .when_full = HF_SPOOL_DROP_OLDEST,
                                           .refuse_unreadable = where->refuse_unreadable};

    int r = hf_spool_store_open(&params, &store, err);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = write_letter(store, where, &records[i], err);
    return r < 0 ? hf_err_wrap(err, r, "keep dead letters in '%s'", where->dir) : 0;
}
