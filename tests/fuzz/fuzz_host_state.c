/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of links in the host folder: whatever is understood as a note is that text again, about a valid slot. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct hf_supervisor_note note;
    char text[2 * HF_HOST_NOTE], again[HF_HOST_NOTE];

    if (n >= sizeof(text))
        return 0;
    memcpy(text, bytes, n);
    text[n] = '\0';
    if (hf_supervisor_note_parse(text, &note) &&
        (snprintf(again, sizeof(again), "%s %s", note.word, note.slot) >= (int)sizeof(again) ||
         strcmp(again, text) != 0 || !hf_supervisor_slot_is_valid(note.slot)))
        abort();
    return 0;
}
