/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in <state>/updates: journals, floors, download records, attempts, after bad cards and bad people. What is understood must be
 * written the same way again. */
#include "codec/seal.h"
#include "steps/fetch_record.h"
#include "update/state/attempt.h"
#include "update/state/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void try_journal(struct hf_view text)
{
    _cleanup_(hf_buf_done) struct hf_buf once = HF_BUF_INIT(HF_JOURNAL_MAX_BYTES),
                                         twice = HF_BUF_INIT(HF_JOURNAL_MAX_BYTES);
    _cleanup_(hf_json_freep) json_t *release = NULL, *again = NULL;
    struct hf_journal journal, back;
    struct hf_err err = HF_ERR_INIT;

    if (hf_journal_parse(text, &journal, &release, &err) < 0)
        return;
    if (hf_journal_format(&journal, release, &once) < 0)
        return;
    if (hf_journal_parse(hf_buf_view(&once), &back, &again, &err) < 0 || hf_journal_format(&back, again, &twice) < 0 ||
        once.n != twice.n || memcmp(once.p, twice.p, once.n) != 0)
        abort();
}

static void try_record(struct hf_view text)
{
    _cleanup_(hf_buf_done) struct hf_buf once = HF_BUF_INIT(4096);
    struct hf_fetch_record record, back;

    if (hf_fetch_record_parse(text, &record) < 0)
        return;
    if (hf_fetch_record_format(&record, &once) < 0 || hf_fetch_record_parse(hf_buf_view(&once), &back) < 0 ||
        back.offset != record.offset || strcmp(back.etag, record.etag) != 0)
        abort();
}

static void try_attempt(struct hf_view text)
{
    _cleanup_(hf_buf_done) struct hf_buf once = HF_BUF_INIT(4096);
    struct hf_attempt attempt, back;

    if (hf_attempt_parse(text, &attempt) < 0)
        return;
    if (hf_attempt_format(&attempt, &once) < 0 || hf_attempt_parse(hf_buf_view(&once), &back) < 0 ||
        back.at != attempt.at || back.kills.above != attempt.kills.above || strcmp(back.delta, attempt.delta) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    _cleanup_(hf_buf_done) struct hf_buf sealed = HF_BUF_INIT(1 << 20);
    struct hf_view text = {(const char *)bytes, n}, body;

    try_journal(text);
    try_record(text);
    (void)!hf_seal_open(text, "floor", 1, &body, NULL);
    /* Behind the checksum too: nobody guesses a SHA-256. */
    if (hf_seal_format("journal", 1, text, &sealed) == 0)
        try_journal(hf_buf_view(&sealed));
    hf_buf_clear(&sealed);
    if (hf_seal_format("attempt", 1, text, &sealed) == 0)
        try_attempt(hf_buf_view(&sealed));
    return 0;
}
