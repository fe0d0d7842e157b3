/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/state.h"

#include <stdio.h>
#include <string.h>

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool hf_supervisor_slot_is_valid(const char *slot)
{
    size_t part = 0, dots = 0, n = 0;

    for (; n < HF_HOST_SLOT && slot[n] != '\0'; n++) {
        if (slot[n] == '/' && (part == 0 || (part == dots && dots <= 2)))
            return false;
        if (slot[n] != '/' && !is_plain(slot[n]) && strchr("._+~-", slot[n]) == NULL)
            return false;
        part = slot[n] == '/' ? 0 : part + 1;
        dots = slot[n] == '/' ? 0 : dots + (slot[n] == '.');
    }
    return n < HF_HOST_SLOT && part > 0 && (part != dots || dots > 2);
}

bool hf_supervisor_note_parse(const char *text, struct hf_supervisor_note *ret_note)
{
    size_t n = strcspn(text, " ");
    const char *slot = text + n + (text[n] == ' ');

    for (size_t i = 0; i < n; i++)
        if (!is_plain(text[i]))
            return false;
    if (n == 0 || n >= sizeof(ret_note->word) || !hf_supervisor_slot_is_valid(slot))
        return false;
    (void)snprintf(ret_note->word, sizeof(ret_note->word), "%.*s", (int)n, text);
    (void)snprintf(ret_note->slot, sizeof(ret_note->slot), "%s", slot);
    return true;
}
