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
    char slot[HF_HOST_SLOT + 1], text[HF_HOST_NOTE];
    struct hf_supervisor_note note;

    memset(slot, 'a', sizeof(slot));
    slot[HF_HOST_SLOT] = '\0';
    ck_assert(!hf_supervisor_slot_is_valid(slot));
    slot[HF_HOST_SLOT - 1] = '\0';
    ck_assert(hf_supervisor_slot_is_valid(slot));
    ck_assert_int_lt(snprintf(text, sizeof(text), "NotExecutable %s", slot), HF_HOST_NOTE);
    ck_assert(hf_supervisor_note_parse(text, &note));
    ck_assert_str_eq(note.slot, slot);
    ck_assert_str_eq(note.word, "NotExecutable");
}
END_TEST

/* The promise to agents of other versions. `word` NULL: refused. */
static const struct {
    const char *text, *word, *slot;
} notes[] = {
    {"Late slots/1-ab", "Late", "slots/1-ab"},
    {"2 .holdfast-holdfast-agent.tree/00ff", "2", ".holdfast-holdfast-agent.tree/00ff"},
    {"fifteenletterss a", "fifteenletterss", "a"},
    {"sixteen0letters0 a", NULL, NULL},
    {"", NULL, NULL},
    {"Late", NULL, NULL},
    {"Late ", NULL, NULL},
    {" slots/1-ab", NULL, NULL},
    {"Late  slots/1-ab", NULL, NULL},
    {"La.te slots/1-ab", NULL, NULL},
    {"Late slots/1-ab ", NULL, NULL},
    {"Late slots/1-ab\n", NULL, NULL},
    {"Late ../a", NULL, NULL},
    {"holdfast-verdict 1 Late slots/1-ab 5402b27d\n", NULL, NULL},
};

START_TEST(texts)
{
    struct hf_supervisor_note got = {.slot = "untouched"};
    bool read = hf_supervisor_note_parse(notes[_i].text, &got);

    ck_assert_msg(read == (notes[_i].word != NULL), "'%s'", notes[_i].text);
    ck_assert_str_eq(got.slot, read ? notes[_i].slot : "untouched");
    ck_assert_str_eq(got.word, read ? notes[_i].word : "");
}
END_TEST

/* Each byte changed, each shorter text: refused, or a note about another slot or with another word, never this one. */
START_TEST(damage)
{
    static const char whole[] = "Late slots/1-ab";
    struct hf_supervisor_note got;
    char bad[sizeof(whole)];

    for (size_t i = 0; i < sizeof(whole) - 1; i++)
        for (int c = 0; c < 256; c++) {
            memcpy(bad, whole, sizeof(whole));
            bad[i] = (char)c;
            if (bad[i] != whole[i] && hf_supervisor_note_parse(bad, &got))
                ck_assert_msg(strcmp(got.slot, "slots/1-ab") != 0 || strcmp(got.word, "Late") != 0, "%s", bad);
        }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, slot_names, 0, HF_LEN(slots));
    tcase_add_test(tc, slot_length);
    tcase_add_loop_test(tc, texts, 0, HF_LEN(notes));
    tcase_add_test(tc, damage);
}
HF_TEST_MAIN("supervisor/state", cases)
