/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/page/act.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "codec/json.h"

#define MINUTE_NS (60 * HF_NS_PER_S)

enum asked_field { REASON = 1, FOR = 2, RELEASE = 4 };
enum { MAX_REASON = 127, MAX_FOR = 16, MAX_RELEASE = 128 };

/* Fields that an act must have, and those that it may have. `words`: first of the command; %S, %R: options for the
 * folders; %r, %f, %n: fields. */
static const struct {
    const char *name;
    unsigned must, may;
    const char *words[HF_PAGE_ACT_WORDS];
} acts[HF_PAGE_ACTS] = {
    [HF_PAGE_HOLD] = {"Hold", REASON, FOR, {"hold", "%r", "%f", "%S"}},
    [HF_PAGE_RELEASE] = {"Release", 0, 0, {"hold", "--release", "%S"}},
    [HF_PAGE_RETRY] = {"Retry", 0, 0, {NULL}},
    [HF_PAGE_ROLL_BACK] = {"RollBack", RELEASE | REASON, 0, {"rollback", "--local", "%r", "%S", "--", "%n"}},
    [HF_PAGE_UNDO] = {"Undo", RELEASE, 0, {"rollback", "--local", "--undo", "%S", "--", "%n"}},
    [HF_PAGE_VERIFY] = {"Verify", 0, 0, {"node", "journal", "--verify", "%S"}},
    [HF_PAGE_SUPPORT] = {"Support", 0, 0, {"support", "--out=-", "%S", "%R"}},
};

struct asked {
    const char *act, *reason, *for_, *release;
    bool confirmed;
};

const char *hf_page_act_name(enum hf_page_act_kind kind)
{
    assert(kind < HF_PAGE_ACTS);
    return acts[kind].name;
}

/* ---- the body ---------------------------------------------------------------------------------------------------- */

static int take_fields(json_t *json, struct asked *asked, struct hf_err *err)
{
    const struct {
        const char *name;
        const char **to;
        size_t max;
    } fields[] = {{"act", &asked->act, MAX_FOR},
                  {"reason", &asked->reason, MAX_REASON},
                  {"for", &asked->for_, MAX_FOR},
                  {"release", &asked->release, MAX_RELEASE}};
    const char *name;
    json_t *value;

    json_object_foreach(json, name, value) {
        size_t i = 0;
        while (i < HF_LEN(fields) && strcmp(fields[i].name, name) != 0)
            i++;
        if (i == HF_LEN(fields) && strcmp(name, "confirmed") == 0 && json_is_boolean(value)) {
            asked->confirmed = json_is_true(value);
            continue;
        }
        const char *text = i < HF_LEN(fields) ? json_string_value(value) : NULL;
        if (text == NULL || text[0] == '\0' || strlen(text) > fields[i].max)
            return hf_err_set(err, EBADMSG, "a field is unknown, empty, too long or no text");
        for (const char *p = text; *p != '\0'; p++)
            if ((unsigned char)*p < 0x20 || *p == 0x7f)
                return hf_err_set(err, EBADMSG, "a control character is in '%s'", fields[i].name);
        *fields[i].to = text;
    }
    return 0;
}

static bool is_release(const char *name)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";

    return strspn(name, first) > 0 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == strlen(name);
}

static int check(const struct asked *asked, enum hf_page_act_kind kind, struct hf_err *err)
{
    unsigned has = (asked->reason != NULL ? REASON : 0u) | (asked->for_ != NULL ? FOR : 0u) |
                   (asked->release != NULL ? RELEASE : 0u);
    uint64_t ns;

    if ((has & acts[kind].must) != acts[kind].must)
        return hf_err_set(
            err, EBADMSG, "%s needs %s%s%s", acts[kind].name, (acts[kind].must & RELEASE) != 0 ? "release" : "",
            acts[kind].must == (RELEASE | REASON) ? " and " : "", (acts[kind].must & REASON) != 0 ? "reason" : "");
    if ((has & ~(acts[kind].must | acts[kind].may)) != 0)
        return hf_err_set(err, EBADMSG, "%s does not have such a field", acts[kind].name);
    if (asked->for_ != NULL && (hf_parse_duration(asked->for_, &ns) < 0 || ns == 0))
        return hf_err_set(err, EBADMSG, "'for' is a duration, such as 8h or 90m");
    if (asked->release != NULL && !is_release(asked->release))
        return hf_err_set(err, EBADMSG, "'release' is no name of a release");
    return 0;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static bool put_word(struct hf_page_act *act, const char *option, const char *value)
{
    int n = snprintf(act->words[act->n], HF_PAGE_ACT_WORD, "%s%s", option, value);

    act->n++;
    return n >= 0 && n < HF_PAGE_ACT_WORD;
}

/* A value never begins a word, unless behind "--": so none is taken for an option. */
static bool make_words(struct hf_page_act *act, const struct asked *asked, const char *state_dir, const char *run_dir)
{
    bool fits = true;

    for (size_t i = 0; i < HF_PAGE_ACT_WORDS && acts[act->kind].words[i] != NULL && fits; i++) {
        const char *word = acts[act->kind].words[i];
        if (word[0] != '%')
            fits = put_word(act, word, "");
        else if (word[1] == 'r')
            fits = put_word(act, "--reason=", asked->reason);
        else if (word[1] == 'f')
            fits = asked->for_ == NULL || put_word(act, "--for=", asked->for_);
        else if (word[1] == 'n')
            fits = put_word(act, "", asked->release);
        else
            fits = word[1] == 'S' ? put_word(act, "--state-dir=", state_dir) : put_word(act, "--run-dir=", run_dir);
    }
    return fits;
}

int hf_page_act_parse(struct hf_view body, const char *state_dir, const char *run_dir, struct hf_page_act *ret_act,
                      struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *json = NULL;
    struct asked asked = {.act = NULL};

    memset(ret_act, 0, sizeof(*ret_act));
    if (body.n > HF_PAGE_ACT_MAX_BYTES || hf_json_parse(body, NULL, &json, NULL) < 0 || !json_is_object(json))
        return hf_err_set(err, EBADMSG, "the body is no JSON object of at most %d bytes", HF_PAGE_ACT_MAX_BYTES);
    int r = take_fields(json, &asked, err);
    if (r < 0)
        return r;
    while (ret_act->kind < HF_PAGE_ACTS && (asked.act == NULL || strcmp(asked.act, acts[ret_act->kind].name) != 0))
        ret_act->kind++;
    if (ret_act->kind == HF_PAGE_ACTS)
        return hf_err_set(err, EBADMSG, "there is no such act");
    r = check(&asked, ret_act->kind, err);
    if (r < 0)
        return r;
    ret_act->confirmed = asked.confirmed;
    return make_words(ret_act, &asked, state_dir, run_dir) ? 0 : hf_err_set(err, EBADMSG, "a word is too long");
}

/* ---- the same in a shell ----------------------------------------------------------------------------------------- */

struct line {
    char *to;
    size_t n, used;
};

static void put(struct line *line, char c)
{
    if (line->used + 1 < line->n)
        line->to[line->used++] = c;
}

static void put_text(struct line *line, const char *text)
{
    for (; *text != '\0'; text++)
        put(line, *text);
}

static void put_quoted(struct line *line, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:@+,";

    if (strspn(word, plain) == strlen(word)) {
        put_text(line, word);
        return;
    }
    put(line, '\'');
    for (; *word != '\0'; word++)
        if (*word == '\'')
            put_text(line, "'\\''");
        else
            put(line, *word);
    put(line, '\'');
}

const char *hf_page_act_command(const struct hf_page_act *act, char *text, size_t n)
{
    struct line line = {.to = text, .n = n};

    put_text(&line, act->n > 0 ? "sudo holdfast" : "sudo systemctl kill --signal=HUP holdfast-agent");
    for (unsigned i = 0; i < act->n; i++) {
        put(&line, ' ');
        put_quoted(&line, act->words[i]);
    }
    text[line.used] = '\0';
    return text;
}

/* ---- guesses ----------------------------------------------------------------------------------------------------- */

bool hf_page_guesses_may(const struct hf_page_guesses *guesses, uint64_t peer, uint64_t now_mono_ns)
{
    for (size_t i = 0; i < HF_PAGE_GUESSERS; i++)
        if (guesses->of[i].peer == peer && guesses->of[i].until_ns > now_mono_ns)
            return guesses->of[i].n < HF_PAGE_GUESSES;
    return true;
}

void hf_page_guesses_wrong(struct hf_page_guesses *guesses, uint64_t peer, uint64_t now_mono_ns)
{
    struct hf_page_guesser *slot = &guesses->of[0];

    for (size_t i = 0; i < HF_PAGE_GUESSERS; i++) {
        struct hf_page_guesser *one = &guesses->of[i];
        if (one->peer == peer && one->until_ns > now_mono_ns) {
            one->n++;
            return;
        }
        if (one->until_ns < slot->until_ns)
            slot = one;
    }
    *slot = (struct hf_page_guesser){.peer = peer, .until_ns = now_mono_ns + MINUTE_NS, .n = 1};
}
