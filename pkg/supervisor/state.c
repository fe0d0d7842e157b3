/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/state.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const reasons[] = {"", "NotExecutable", "Crashed", "Hung", "Late"};

enum { N_REASONS = sizeof(reasons) / sizeof(*reasons), WORD = 16 };

const char *hf_supervisor_reason_name(enum hf_supervisor_reason reason)
{
    return (unsigned)reason < N_REASONS ? reasons[reason] : "";
}

static bool is_slot_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("._+~-", c) != NULL);
}

bool hf_supervisor_slot_is_valid(const char *slot)
{
    size_t part = 0, dots = 0, n = 0;

    for (; slot[n] != '\0' && n < HF_HOST_SLOT; n++) {
        if (slot[n] == '/' && (part == 0 || (part == dots && dots <= 2)))
            return false;
        if (slot[n] != '/' && !is_slot_char(slot[n]))
            return false;
        part = slot[n] == '/' ? 0 : part + 1;
        dots = slot[n] == '/' ? 0 : dots + (slot[n] == '.');
    }
    return n < HF_HOST_SLOT && part > 0 && (part != dots || dots > 2);
}

/* CRC-32 of IEEE 802.3: a card's damage, no attacker, who would have to be root. */
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

/* "holdfast-<kind> 1 <word> <slot> <checksum>\n" */
static size_t format(const char *kind, const char *word, const char *slot, char text[HF_HOST_NOTE])
{
    if (word[0] == '\0' || !hf_supervisor_slot_is_valid(slot))
        return 0;
    int n = snprintf(text, HF_HOST_NOTE, "holdfast-%s 1 %s %s ", kind, word, slot);
    return (size_t)n + (size_t)snprintf(text + n, HF_HOST_NOTE - (size_t)n, "%08x\n", checksum(text, (size_t)n));
}

/* Copies up to the next blank, which it skips. NULL: no blank, or too long. */
static const char *take(const char *text, char *ret_part, size_t size)
{
    const char *end = strchr(text, ' ');

    if (end == NULL || (size_t)(end - text) >= size)
        return NULL;
    memcpy(ret_part, text, (size_t)(end - text));
    ret_part[end - text] = '\0';
    return end + 1;
}

/* Takes the parts of the text, and compares it with what format() makes of them. */
static bool parse(const char *kind, const char *text, size_t n, char word[WORD], char slot[HF_HOST_SLOT])
{
    char copy[HF_HOST_NOTE], again[HF_HOST_NOTE], part[32];
    const char *rest;

    if (n >= sizeof(copy))
        return false;
    memcpy(copy, text, n);
    copy[n] = '\0';
    rest = take(copy, part, sizeof(part));                       /* the kind */
    rest = rest != NULL ? take(rest, part, sizeof(part)) : NULL; /* the version */
    rest = rest != NULL ? take(rest, word, WORD) : NULL;
    rest = rest != NULL ? take(rest, slot, HF_HOST_SLOT) : NULL;
    return rest != NULL && format(kind, word, slot, again) == n && memcmp(again, text, n) == 0;
}

size_t hf_supervisor_verdict_format(const struct hf_supervisor_verdict *verdict, char text[HF_HOST_NOTE])
{
    return format("verdict", hf_supervisor_reason_name(verdict->reason), verdict->slot, text);
}

size_t hf_supervisor_trial_format(const struct hf_supervisor_trial *trial, char text[HF_HOST_NOTE])
{
    char word[WORD];

    (void)snprintf(word, sizeof(word), "%u", trial->ends);
    return format("trial", word, trial->slot, text);
}

bool hf_supervisor_verdict_parse(const char *text, size_t n, struct hf_supervisor_verdict *ret_verdict)
{
    char word[WORD], slot[HF_HOST_SLOT];

    if (!parse("verdict", text, n, word, slot))
        return false;
    for (unsigned i = 1; i < N_REASONS; i++)
        if (strcmp(word, reasons[i]) == 0) {
            ret_verdict->reason = (enum hf_supervisor_reason)i;
            memcpy(ret_verdict->slot, slot, sizeof(slot));
            return true;
        }
    return false;
}

bool hf_supervisor_trial_parse(const char *text, size_t n, struct hf_supervisor_trial *ret_trial)
{
    char word[WORD], slot[HF_HOST_SLOT], *end;

    if (!parse("trial", text, n, word, slot) || word[0] < '0' || word[0] > '9')
        return false;
    unsigned long ends = strtoul(word, &end, 10);
    if (*end != '\0' || ends > INT32_MAX || (word[0] == '0' && word[1] != '\0'))
        return false;
    ret_trial->ends = (unsigned)ends;
    memcpy(ret_trial->slot, slot, sizeof(slot));
    return true;
}
