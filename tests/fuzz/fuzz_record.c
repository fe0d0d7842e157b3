/* SPDX-License-Identifier: Apache-2.0 */
/* The state files of codec/state/record.h, after bad cards and bad people: the first byte, from `a` on, picks the type.
 * Whatever is understood is written the same way again. */
#include <stdlib.h>
#include <string.h>

#include "agent/report/notice_file.h"
#include "agent/report/sequence.h"
#include "codec/state/record.h"
#include "manifests/state/record.h"
#include "node/clock_file.h"
#include "node/resources/write_log.h"
#include "steps/fetch_record.h"
#include "update/state/attempt.h"
#include "update/state/floor.h"
#include "update/state/journal.h"
#include "update/state/order.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const struct hf_record_type *const types[] = {
    &hf_journal_type,    &hf_manifest_record_type, &hf_attempt_type,  &hf_fetch_record_type, &hf_floor_type,
    &hf_clock_file_type, &hf_write_log_type,       &hf_sequence_type, &hf_notice_file_type,  &hf_order_type};

static void try(const struct hf_record_type *type, struct hf_view text)
{
    _cleanup_(hf_buf_done) struct hf_buf once = HF_BUF_INIT(8 << 20), twice = HF_BUF_INIT(8 << 20);
    void *record = malloc(type->size), *again = malloc(type->size);

    if (record == NULL || again == NULL)
        abort();
    if (hf_record_parse(type, text, record, NULL) == 0) {
        if (hf_record_format(type, record, &once) < 0 || hf_record_parse(type, hf_buf_view(&once), again, NULL) < 0 ||
            hf_record_format(type, again, &twice) < 0 || once.n != twice.n || memcmp(once.p, twice.p, once.n) != 0)
            abort();
        hf_record_done(type, again);
    }
    hf_record_done(type, record);
    free(record);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    _cleanup_(hf_buf_done) struct hf_buf sealed = HF_BUF_INIT(1 << 20);

    if (n == 0)
        return 0;
    const struct hf_record_type *type = types[(unsigned char)(bytes[0] - 'a') % HF_LEN(types)];
    struct hf_view text = {(const char *)bytes + 1, n - 1};
    try(type, text);
    /* Behind the checksum too: nobody guesses a SHA-256. */
    if (hf_seal_format(type->name, type->version, text, &sealed) == 0)
        try(type, hf_buf_view(&sealed));
    return 0;
}
