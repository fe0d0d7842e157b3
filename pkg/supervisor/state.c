/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/state.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool hf_supervisor_slot_is_valid(const char *slot)
{
    size_t part = 0, dots = 0, n = 0;

    for (; slot[n] != '\0' && n < HF_HOST_SLOT; n++) {
        if (slot[n] == '/' && (part == 0 || (part == dots && dots <= 2)))
            return false;
        if (slot[n] != '/' && !is_plain(slot[n]) && strchr("._+~-", slot[n]) == NULL)
            return false;
        part = slot[n] == '/' ? 0 : part + 1;
        dots = slot[n] == '/' ? 0 : dots + (slot[n] == '.');
    }
    return n < HF_HOST_SLOT && part > 0 && (part != dots || dots > 2);
}

/* CRC-32 of IEEE 802.3: finds the damage of a card; an attacker would have to be root. */
static uint32_t checksum(const char *text, size_t n)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < n; i++) {
        crc ^= (unsigned char)text[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0);
    }
    return ~crc;
}

size_t hf_supervisor_note_format(const char *kind, const struct hf_supervisor_note *note, char text[HF_HOST_NOTE])
{
    if (!is_plain(note->word[0]) || strpbrk(note->word, " \n") != NULL || !hf_supervisor_slot_is_valid(note->slot))
        return 0;
    size_t n = (size_t)snprintf(text, HF_HOST_NOTE, "holdfast-%s 1 %s %s ", kind, note->word, note->slot);
    return n + (size_t)snprintf(text + n, HF_HOST_NOTE - n, "%08x\n", checksum(text, n));
}

/* Copies up to the next blank, which it skips. NULL: no blank, or too long. */
static const char *take(const char *text, char *ret_part, size_t size)
{
    const char *end = text != NULL ? strchr(text, ' ') : NULL;

    if (end == NULL || (size_t)(end - text) >= size)
        return NULL;
    memcpy(ret_part, text, (size_t)(end - text));
    ret_part[end - text] = '\0';
    return end + 1;
}

/* Takes the parts of the text, and compares it with what is made of them. */
bool hf_supervisor_note_parse(const char *kind, const char *text, size_t n, struct hf_supervisor_note *ret_note)
{
    char copy[HF_HOST_NOTE], again[HF_HOST_NOTE], part[32];
    struct hf_supervisor_note note;

    if (n >= sizeof(copy))
        return false;
    memcpy(copy, text, n);
    copy[n] = '\0';
    const char *rest = take(take(copy, part, sizeof(part)), part, sizeof(part)); /* kind and version */
    rest = take(take(rest, note.word, sizeof(note.word)), note.slot, sizeof(note.slot));
    if (rest == NULL || hf_supervisor_note_format(kind, &note, again) != n || memcmp(again, text, n) != 0)
        return false;
    *ret_note = note;
    return true;
}
