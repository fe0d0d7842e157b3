/* SPDX-License-Identifier: Apache-2.0 */
/* `verdict` and `trial` of the host folder: whatever is understood is written the same way again, behind the checksum too. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void try(const char *kind, const char *text, size_t n)
{
    struct hf_supervisor_note note;
    char again[HF_HOST_NOTE];

    if (hf_supervisor_note_parse(kind, text, n, &note) &&
        (hf_supervisor_note_format(kind, &note, again) != n || memcmp(again, text, n) != 0 ||
         !hf_supervisor_slot_is_valid(note.slot)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct hf_supervisor_note note = {.word = ""};
    char text[HF_HOST_NOTE];

    try(HF_HOST_VERDICT, (const char *)bytes, n);
    try(HF_HOST_TRIAL, (const char *)bytes, n);
    /* The same bytes as a word and a name, which are then written and read. */
    if (n < HF_HOST_SLOT && n > 0) {
        memcpy(note.word, bytes, n < sizeof(note.word) ? n : sizeof(note.word) - 1);
        memcpy(note.slot, bytes, n);
        size_t length = hf_supervisor_note_format(HF_HOST_TRIAL, &note, text);
        if (length > 0 && !hf_supervisor_note_parse(HF_HOST_TRIAL, text, length, &note))
            abort();
    }
    return 0;
}
