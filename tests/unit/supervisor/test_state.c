/* SPDX-License-Identifier: Apache-2.0 */
#include "base/macros.h"
#include "supervisor/state.h"
#include "support/check_main.h"

static const struct {
    const char *slot;
    bool valid;
} slots[] = {
    {"slots/0.1.0-0123456789ab", true},
    {".holdfast-holdfast-agent.tree/00ff", true},
    {"a", true},
    {"a/...", true},
    {"1.2~rc+1_x", true},
    {"", false},
    {"/a", false},
    {"a/", false},
    {"a//b", false},
    {".", false},
    {"..", false},
    {"a/..", false},
    {"../a", false},
    {"a/./b", false},
    {"a b", false},
    {"a\nb", false},
    {"a%s", false},
    {"\xc3\xa9", false},
};

START_TEST(slot_names)
{
    ck_assert_msg(hf_supervisor_slot_is_valid(slots[_i].slot) == slots[_i].valid, "'%s'", slots[_i].slot);
}
END_TEST

START_TEST(slot_length)
{
    struct hf_supervisor_note note = {.word = "NotExecutable"}, again;
    char slot[HF_HOST_SLOT + 1], text[HF_HOST_NOTE];

    memset(slot, 'a', sizeof(slot));
    slot[HF_HOST_SLOT] = '\0';
    ck_assert(!hf_supervisor_slot_is_valid(slot));
    slot[HF_HOST_SLOT - 1] = '\0';
    ck_assert(hf_supervisor_slot_is_valid(slot));
    memcpy(note.slot, slot, HF_HOST_SLOT);
    size_t n = hf_supervisor_note_format(HF_HOST_VERDICT, &note, text);
    ck_assert(n > 0 && n < sizeof(text) && hf_supervisor_note_parse(HF_HOST_VERDICT, text, n, &again));
    ck_assert_str_eq(again.slot, slot);
    ck_assert_str_eq(again.word, note.word);
}
END_TEST

static const struct {
    const char *kind;
    struct hf_supervisor_note note;
    const char *text;
} notes[] = {
    {HF_HOST_VERDICT, {"Late", "slots/1-ab"}, "holdfast-verdict 1 Late slots/1-ab 5402b27d\n"},
    {HF_HOST_TRIAL, {"2", "slots/1-ab"}, "holdfast-trial 1 2 slots/1-ab 38c93ff6\n"},
    {HF_HOST_VERDICT, {"", "slots/1-ab"}, ""},
    {HF_HOST_VERDICT, {"La te", "slots/1-ab"}, ""},
    {HF_HOST_VERDICT, {"Late", "../a"}, ""},
};

/* The promise to agents of other versions. */
START_TEST(texts)
{
    char text[HF_HOST_NOTE] = "";
    size_t n = hf_supervisor_note_format(notes[_i].kind, &notes[_i].note, text);

    ck_assert_uint_eq(n, strlen(notes[_i].text));
    ck_assert(memcmp(text, notes[_i].text, n) == 0);
}
END_TEST

static void refuses(const char *text, size_t n)
{
    struct hf_supervisor_note got = {.slot = "untouched"};

    ck_assert(!hf_supervisor_note_parse(HF_HOST_VERDICT, text, n, &got));
    ck_assert(!hf_supervisor_note_parse(HF_HOST_TRIAL, text, n, &got));
    ck_assert_str_eq(got.slot, "untouched");
}

/* Each byte changed, each shorter text, each longer one: refused. */
START_TEST(damage)
{
    char bad[HF_HOST_NOTE];
    size_t n = strlen(notes[_i].text);
    struct hf_supervisor_note got;

    for (size_t i = 0; i < n; i++) {
        for (int c = 0; c < 256; c++) {
            memcpy(bad, notes[_i].text, n);
            bad[i] = (char)c;
            if (bad[i] != notes[_i].text[i])
                refuses(bad, n);
        }
        refuses(notes[_i].text, i);
    }
    memcpy(bad, notes[_i].text, n);
    bad[n] = '\n';
    refuses(bad, n + 1);
    ck_assert(hf_supervisor_note_parse(notes[_i].kind, notes[_i].text, n, &got));
    ck_assert_str_eq(got.slot, notes[_i].note.slot);
    ck_assert(!hf_supervisor_note_parse(notes[1 - _i].kind, notes[_i].text, n, &got));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, slot_names, 0, HF_LEN(slots));
    tcase_add_test(tc, slot_length);
    tcase_add_loop_test(tc, texts, 0, HF_LEN(notes));
    tcase_add_loop_test(tc, damage, 0, 2);
}
HF_TEST_MAIN("supervisor/state", cases)
