/* SPDX-License-Identifier: Apache-2.0 */
/* What adds up from several policies, as a table. A policy is one line: its name, then words in any order:
 *
 *   +5 -5       priority                        disk=60 interval=60s timeout=1m grace=1h   sections
 *   !           the node accepts its signature  telemetry=UNIT detect=false                sections
 *   allow=1 allow=2                         images.allow
 *   g3          generation                      #tier=gold                                 label tier
 *   ?x          selects nodes with the label x  @app=1 @app=1>db @app=1!                   entry; dependsOn; signed
 *
 * A line "on x" gives the node the label x. A step is what the node sees at one time; what is in effect then stays in
 * the next step. What comes out: each section with its policy ("!": signed), then behind "|" what was passed over
 * with the reason, but for what says the same. */
#include "api/policies/policy_set.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/strmap.h"
#include "support/check_main.h"

enum { MAX_POLICIES = 6, MAX_STEPS = 4 };

struct step {
    const char *policies, *out;
};

struct example {
    const char *name;
    struct step steps[MAX_STEPS];
};

static const struct example examples[] = {

    /* ---- unrelated policies -------------------------------------------------------------------------------------- */

    {"a second policy of the same priority with another section takes nothing away",
     {{"site @pod=1 @file=1 telemetry=a", "manifests[file]:site manifests[pod]:site telemetry:site"},
      {"site @pod=1 @file=1 telemetry=a\nalpha disk=60",
       "disk:alpha manifests[file]:site manifests[pod]:site telemetry:site"}}},
    {"a second policy of a higher priority with another section takes nothing away",
     {{"site @pod=1 telemetry=a\nalpha +9 disk=60", "disk:alpha manifests[pod]:site telemetry:site"}}},
    {"a second policy of a lower priority adds a section",
     {{"site telemetry=a\nzeta -9 disk=60", "disk:zeta telemetry:site"}}},
    {"an empty policy changes nothing", {{"site disk=60\nalpha +9", "disk:site"}}},
    {"no policy at all", {{"", ""}}},
    {"one policy is in effect as it is",
     {{"site disk=60 interval=60s #tier=x @app=1 detect=false",
       "disk:site interval:site labels.detect:site labels.static[edge.codcompass.io/tier]:site manifests[app]:site"}}},
    {"three policies each have a section",
     {{"a disk=60\nb interval=60s\nc timeout=1m", "disk:a interval:b timeout:c"}}},
    {"five policies each have an entry",
     {{"a @a=1\nb @b=1\nc @c=1\nd @d=1\ne @e=1",
       "manifests[a]:a manifests[b]:b manifests[c]:c manifests[d]:d manifests[e]:e"}}},
    {"labels add up by key",
     {{"a #tier=x #role=y\nb #site=z",
       "labels.static[edge.codcompass.io/role]:a labels.static[edge.codcompass.io/site]:b "
       "labels.static[edge.codcompass.io/tier]:a"}}},
    {"a switch of the labels is a section beside their keys",
     {{"a #tier=x\nb detect=false", "labels.detect:b labels.static[edge.codcompass.io/tier]:a"}}},
    {"the same value from two policies is no conflict", {{"a disk=60\nb disk=60", "disk:a"}}},
    {"the same entry from two policies is no conflict", {{"a @app=1\nb @app=1", "manifests[app]:a"}}},

    /* ---- priorities ---------------------------------------------------------------------------------------------- */

    {"the higher priority has the section, whole", {{"a disk=60\nb +1 disk=70", "disk:b | disk:a Priority"}}},
    {"the higher of two negative priorities", {{"a -5 disk=60\nb -4 disk=70", "disk:b | disk:a Priority"}}},
    {"three priorities", {{"a +1 disk=60\nb +3 disk=70\nc +2 disk=80", "disk:b | disk:c Priority, disk:a Priority"}}},
    {"each section has its own first policy",
     {{"a +2 disk=60\nb +1 disk=70 interval=60s\nc interval=30s timeout=1m",
       "disk:a interval:b timeout:c | disk:b Priority, interval:c Priority"}}},
    {"a raised priority takes the section over, and gives it back",
     {{"a disk=60\nb -1 disk=70", "disk:a | disk:b Priority"},
      {"a disk=60\nb +1 disk=70", "disk:b | disk:a Priority"},
      {"a disk=60\nb -1 disk=70", "disk:a | disk:b Priority"}}},
    {"a label key by priority",
     {{"a #tier=x\nb +1 #tier=y",
       "labels.static[edge.codcompass.io/tier]:b | labels.static[edge.codcompass.io/tier]:a Priority"}}},
    {"an entry by priority", {{"a @app=1\nb +1 @app=2", "manifests[app]:b | manifests[app]:a Priority"}}},
    {"an entry by priority beside entries of the other policy",
     {{"a @app=1 @log=1\nb +1 @app=2", "manifests[app]:b manifests[log]:a | manifests[app]:a Priority"}}},
    {"five priorities of one entry",
     {{"a @x=1\nb +1 @x=2\nc +2 @x=3\nd +3 @x=4\ne +4 @x=5",
       "manifests[x]:e | manifests[x]:d Priority, manifests[x]:c Priority, manifests[x]:b Priority, manifests[x]:a "
       "Priority"}}},
    {"the grace is a section like others",
     {{"a grace=1h\nb +1 grace=2h\nc interval=60s", "interval:c removalGrace:b | removalGrace:a Priority"}}},

    /* ---- conflicts ----------------------------------------------------------------------------------------------- */

    {"a conflict of the same priority: the first name", {{"a disk=60\nb disk=70", "disk:a | disk:b Conflict"}}},
    {"a conflict of the same priority: what was in effect stays",
     {{"b disk=70", "disk:b"}, {"a disk=60\nb disk=70", "disk:b | disk:a Conflict"}}},
    {"a conflict of three: what was in effect stays",
     {{"b disk=70", "disk:b"}, {"a disk=60\nb disk=70\nc disk=80", "disk:b | disk:a Conflict, disk:c Conflict"}}},
    {"a conflict in one section alone",
     {{"a disk=60 interval=60s\nb disk=70 timeout=1m", "disk:a interval:a timeout:b | disk:b Conflict"}}},
    {"a conflict of two below a third policy is none between them",
     {{"a disk=60\nb disk=70\nc +1 disk=80", "disk:c | disk:a Priority, disk:b Priority"}}},
    {"a conflict ends when the priorities differ",
     {{"a disk=60\nb disk=70", "disk:a | disk:b Conflict"}, {"a disk=60\nb +1 disk=70", "disk:b | disk:a Priority"}}},
    {"a conflict ends when one drops the section",
     {{"b disk=70", "disk:b"},
      {"a disk=60\nb disk=70", "disk:b | disk:a Conflict"},
      {"a disk=60\nb timeout=1m", "disk:a timeout:b"}}},
    {"a conflict ends when both say the same",
     {{"b disk=70", "disk:b"},
      {"a disk=60\nb disk=70", "disk:b | disk:a Conflict"},
      {"a disk=70\nb disk=70", "disk:b"}}},
    {"the incumbent changes its own value",
     {{"b disk=70", "disk:b"},
      {"a disk=60\nb disk=70", "disk:b | disk:a Conflict"},
      {"a disk=60\nb disk=75", "disk:b | disk:a Conflict"}}},
    {"a conflict of a label key",
     {{"b #tier=y", "labels.static[edge.codcompass.io/tier]:b"},
      {"a #tier=x\nb #tier=y",
       "labels.static[edge.codcompass.io/tier]:b | labels.static[edge.codcompass.io/tier]:a Conflict"}}},
    {"a conflict of an entry leaves the others alone",
     {{"b @app=2", "manifests[app]:b"},
      {"a @app=1 @log=1\nb @app=2 @web=1",
       "manifests[app]:b manifests[log]:a manifests[web]:b | manifests[app]:a Conflict"}}},
    {"two conflicts at once, each with its incumbent",
     {{"a disk=60\nb timeout=1m", "disk:a timeout:b"},
      {"a disk=60 timeout=2m\nb disk=70 timeout=1m", "disk:a timeout:b | disk:b Conflict, timeout:a Conflict"}}},
    {"conflicts in labels, entries and sections",
     {{"a disk=60 #tier=x @app=1\nb disk=70 #tier=y @app=2",
       "disk:a labels.static[edge.codcompass.io/tier]:a manifests[app]:a | disk:b Conflict, "
       "labels.static[edge.codcompass.io/tier]:b Conflict, manifests[app]:b Conflict"}}},
    {"a conflict of telemetry keeps the whole of one policy",
     {{"b telemetry=b", "telemetry:b"}, {"a telemetry=a\nb telemetry=b", "telemetry:b | telemetry:a Conflict"}}},
    {"conflicts on two levels",
     {{"a +1 disk=60\nb +1 disk=70\nc timeout=1m\nd timeout=2m",
       "disk:a timeout:c | disk:b Conflict, timeout:d Conflict"}}},

    /* ---- signed beside unsigned ---------------------------------------------------------------------------------- */

    {"a signed policy is never displaced by an unsigned one",
     {{"a ! disk=60\nb +9 disk=70", "disk:a! | disk:b Unsigned"}}},
    {"a signed policy goes first, whoever was there before",
     {{"b +9 disk=70", "disk:b"}, {"a -9 ! disk=60\nb +9 disk=70", "disk:a! | disk:b Unsigned"}}},
    {"an unsigned policy adds what no signed one sets", {{"a ! disk=60\nb telemetry=b", "disk:a! telemetry:b"}}},
    {"signed ones by priority among themselves",
     {{"a ! disk=60\nb ! +1 disk=70\nc +9 disk=80", "disk:b! | disk:a Priority, disk:c Unsigned"}}},
    {"a conflict of two signed policies",
     {{"b ! disk=70", "disk:b!"}, {"a ! disk=60\nb ! disk=70", "disk:b! | disk:a Conflict"}}},
    {"a signature that is lost gives the section to the signed one",
     {{"a ! disk=60\nb ! disk=70", "disk:a! | disk:b Conflict"},
      {"a disk=60\nb ! disk=70", "disk:b! | disk:a Unsigned"}}},
    {"telemetry of a signed policy stays, with its bounds",
     {{"a ! telemetry=a\nb +9 telemetry=b @x=1", "manifests[x]:b telemetry:a! | telemetry:b Unsigned"}}},
    {"an entry that is signed itself ranks as signed",
     {{"a +9 @app=1\nb @app=2!", "manifests[app]:b! | manifests[app]:a Unsigned"}}},
    {"an entry that is signed itself, alone, needs no contest", {{"a @app=1!", "manifests[app]:a"}}},
    {"a signed entry beside one of a signed policy: by priority",
     {{"a ! @app=1\nb +1 @app=2!", "manifests[app]:b! | manifests[app]:a Priority"}}},
    {"two signed entries of unsigned policies: by priority",
     {{"a @app=1!\nb +1 @app=2!", "manifests[app]:b! | manifests[app]:a Priority"}}},
    {"labels of a signed policy",
     {{"a ! #tier=x\nb +1 #tier=y #role=z",
       "labels.static[edge.codcompass.io/role]:b labels.static[edge.codcompass.io/tier]:a! | "
       "labels.static[edge.codcompass.io/tier]:b Unsigned"}}},

    /* ---- selectors and labels that change ------------------------------------------------------------------------ */

    {"a policy for other nodes is not in effect", {{"a disk=60\nb +1 ?x disk=70", "disk:a"}}},
    {"a label of the node brings a policy in, and takes it away",
     {{"a disk=60\nb +1 ?x disk=70", "disk:a"},
      {"on x\na disk=60\nb +1 ?x disk=70", "disk:b | disk:a Priority"},
      {"a disk=60\nb +1 ?x disk=70", "disk:a"}}},
    {"two labels, two policies",
     {{"on x\non y\na ?x disk=60\nb ?y timeout=1m", "disk:a timeout:b"},
      {"on y\na ?x disk=60\nb ?y timeout=1m", "timeout:b"}}},
    {"a selector of another policy changes nothing here",
     {{"a @app=1\nb ?x @web=1", "manifests[app]:a"}, {"a @app=1\nb ?y @web=1", "manifests[app]:a"}}},
    {"a selector that leaves the node takes its policy's part alone",
     {{"a @app=1\nb @web=1", "manifests[app]:a manifests[web]:b"}, {"a @app=1\nb ?x @web=1", "manifests[app]:a"}}},
    {"a policy that comes back does not win a conflict that another one has won since",
     {{"on x\nb ?x disk=70", "disk:b"},
      {"a disk=60\nb ?x disk=70", "disk:a"},
      {"on x\na disk=60\nb ?x disk=70", "disk:a | disk:b Conflict"}}},

    /* ---- deletion, a stale cache, reordering --------------------------------------------------------------------- */

    {"a deleted policy gives its section to the next one",
     {{"a +1 disk=60\nb disk=70", "disk:a | disk:b Priority"}, {"b disk=70", "disk:b"}}},
    {"a deleted incumbent ends the conflict",
     {{"b disk=70", "disk:b"}, {"a disk=60\nb disk=70", "disk:b | disk:a Conflict"}, {"a disk=60", "disk:a"}}},
    {"all policies are deleted", {{"a disk=60 @app=1", "disk:a manifests[app]:a"}, {"", ""}}},
    {"an entry moves from one policy to another",
     {{"a @app=1\nb disk=60", "disk:b manifests[app]:a"},
      {"a timeout=1m\nb disk=60 @app=1", "disk:b manifests[app]:b timeout:a"}}},
    {"an entry is in both policies on its way",
     {{"a @app=1", "manifests[app]:a"}, {"a @app=1\nb @app=1", "manifests[app]:a"}, {"b @app=1", "manifests[app]:b"}}},
    {"an older version from a stale cache, then the newer one",
     {{"a g2 disk=60 @app=1", "disk:a manifests[app]:a"},
      {"a g1 disk=50", "disk:a"},
      {"a g2 disk=60 @app=1", "disk:a manifests[app]:a"}}},
    {"a stale cache lacks the newer policy",
     {{"a disk=60\nb +1 disk=70", "disk:b | disk:a Priority"},
      {"a disk=60", "disk:a"},
      {"a disk=60\nb +1 disk=70", "disk:b | disk:a Priority"}}},
    {"a policy is renamed: made anew, then deleted",
     {{"old disk=60 @app=1", "disk:old manifests[app]:old"},
      {"old disk=60 @app=1\nnew disk=60 @app=1", "disk:old manifests[app]:old"},
      {"new disk=60 @app=1", "disk:new manifests[app]:new"}}},
    {"priorities are exchanged",
     {{"a +1 disk=60\nb disk=70", "disk:a | disk:b Priority"},
      {"a disk=60\nb +1 disk=70", "disk:b | disk:a Priority"}}},
    {"another policy that changes its priority moves nothing",
     {{"a @app=1\nb disk=60\nc timeout=1m", "disk:b manifests[app]:a timeout:c"},
      {"a @app=1\nb +9 disk=60\nc -9 timeout=1m", "disk:b manifests[app]:a timeout:c"}}},

    /* ---- dependencies of entries --------------------------------------------------------------------------------- */

    {"an entry depends on one of the same policy, which another policy has, too",
     {{"a @app=1>db @db=1\nb +1 @db=2", "manifests[app]:a manifests[db]:b | manifests[db]:a Priority"}}},
    {"incumbents of two policies that depend on each other leave both out",
     {{"a @x=1>y @y=1", "manifests[x]:a manifests[y]:a"},
      {"a @x=1>y @y=1\nb +1 @y=2>x @x=1",
       "manifests[x]:b manifests[y]:b | manifests[x]:a Priority, manifests[y]:a Priority"}}},
    {"a circle over two policies puts neither entry in effect",
     {{"a @x=1\nb @y=2", "manifests[x]:a manifests[y]:b"},
      {"a @x=1>y @y=1\nb @y=2>x @x=1",
       " | manifests[x]:a Circle, manifests[x]:b Circle, manifests[y]:a Circle, manifests[y]:b Circle"}}},

    /* ---- what only signed policies decide ------------------------------------------------------------------------ */

    {"an unsigned policy does not say which images run",
     {{"a allow=1 disk=60", "disk:a | images.allow:a NeedsSignature"}}},
    {"a signed one does", {{"a ! allow=1", "images.allow:a!"}}},
    {"no priority puts an unsigned list before a signed one",
     {{"a ! allow=1\nb +9 allow=2", "images.allow:a! | images.allow:b Unsigned"}}},
    {"an unsigned list does not follow a signed one whose policy is gone",
     {{"a ! allow=1\nb allow=2", "images.allow:a! | images.allow:b Unsigned"},
      {"b allow=2", " | images.allow:b NeedsSignature"}}},
    {"two unsigned lists",
     {{"a allow=1\nb allow=2", " | images.allow:a NeedsSignature, images.allow:b NeedsSignature"}}},
};

static struct hf_issues issues;

#define SIGNATURE "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static int set_new(json_t *object, const char *path, json_t *value)
{
    int r = hf_json_put(object, path, value);

    ck_assert_int_eq(r, 0);
    return r;
}

static void add_entry(json_t *spec, char *word)
{
    char *version = strchr(word, '='), *needs = strchr(word, '>');
    bool is_signed = strchr(word, '!') != NULL;

    *version++ = '\0';
    if (needs != NULL)
        *needs++ = '\0';
    version[strcspn(version, "!")] = '\0';
    json_t *entry = json_pack("{s:s, s:{s:s}, s:s, s:o}", "name", word, "from", "path", "/srv/x", "to", "Files", "path",
                              json_sprintf("/etc/%s-%s", word, version));
    if (needs != NULL)
        set_new(entry, "dependsOn", json_pack("[s]", needs));
    if (is_signed) {
        set_new(entry, "sequence", json_integer(1));
        set_new(entry, "contentDigest", json_string(DIGEST));
        set_new(entry, "signatures", json_pack("[{s:s, s:s}]", "keyId", "k", "signature", SIGNATURE));
    }
    if (json_object_get(spec, "manifests") == NULL)
        set_new(spec, "manifests", json_array());
    ck_assert_int_eq(json_array_append_new(json_object_get(spec, "manifests"), entry), 0);
}

static void add_label(json_t *spec, char *word)
{
    char *value = strchr(word, '='), key[100];

    *value++ = '\0';
    if (hf_json_at(spec, "labels.static") == NULL)
        set_new(spec, "labels.static", json_object());
    (void)snprintf(key, sizeof(key), HF_LABEL_PREFIX "%s", word);
    ck_assert_int_eq(json_object_set_new(hf_json_mutable(hf_json_at(spec, "labels.static")), key, json_string(value)),
                     0);
}

static void add_section(json_t *spec, char *word)
{
    char *value = strchr(word, '=');

    ck_assert_ptr_nonnull(value);
    *value++ = '\0';
    if (strcmp(word, "disk") == 0)
        set_new(spec, "disk.warnPercent", json_integer(strtol(value, NULL, 10)));
    else if (strcmp(word, "detect") == 0)
        set_new(spec, "labels.detect", json_boolean(strcmp(value, "true") == 0));
    else if (strcmp(word, "allow") == 0)
        set_new(spec, "images.allow",
                json_pack("{s:[o], s:s}", "digests", json_sprintf("sha256:%s%.63s", value, DIGEST), "expires",
                          "2027-02-01T00:00:00Z"));
    else if (strcmp(word, "telemetry") == 0)
        set_new(spec, "telemetry.sources.journald.units", json_pack("[s]", value));
    else
        set_new(spec, strcmp(word, "grace") == 0 ? "removalGrace" : word, json_string(value));
}

static struct hf_policy_member make(char *line)
{
    char *rest = NULL, *word = strtok_r(line, " ", &rest);
    _cleanup_(hf_json_freep) json_t *json = json_pack("{s:{s:s}, s:{}}", "metadata", "name", word, "spec");
    json_t *spec = json_object_get(json, "spec");
    struct hf_syncpolicy *policy = NULL;
    bool is_signed = false;

    while ((word = strtok_r(NULL, " ", &rest)) != NULL) {
        if (word[0] == '+' || word[0] == '-')
            set_new(spec, "priority", json_integer(strtol(word, NULL, 10)));
        else if (word[0] == '!')
            is_signed = true;
        else if (word[0] == 'g' && word[1] >= '0' && word[1] <= '9')
            set_new(json, "metadata.generation", json_integer(strtol(word + 1, NULL, 10)));
        else if (word[0] == '?')
            set_new(spec, "nodeSelector", json_pack("{s:{s:s}}", "matchLabels", word + 1, "y"));
        else if (word[0] == '@')
            add_entry(spec, word + 1);
        else if (word[0] == '#')
            add_label(spec, word + 1);
        else
            add_section(spec, word);
    }
    int r = hf_syncpolicy_decode(json, &policy, &issues);
    ck_assert_msg(r == 0, "%s: %s", issues.errors[0].path, issues.errors[0].text);
    return (struct hf_policy_member){.policy = policy, .is_signed = is_signed};
}

/* The members among the lines that select the node. */
static size_t read_members(const struct step *step, struct hf_policy_member members[MAX_POLICIES])
{
    _cleanup_(hf_json_freep) json_t *labels = json_object();
    _cleanup_(hf_freep) char *text = strdup(step->policies);
    char *rest = NULL;
    size_t n = 0;

    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        ck_assert_uint_lt(n, MAX_POLICIES);
        if (strncmp(line, "on ", 3) == 0) {
            ck_assert_int_eq(json_object_set_new(labels, line + 3, json_string("y")), 0);
            continue;
        }
        members[n] = make(line);
        if (hf_selector_matches(&members[n].policy->node_selector, labels))
            n++;
        else
            hf_syncpolicy_free((struct hf_syncpolicy *)(uintptr_t)members[n].policy);
    }
    return n;
}

static const char *incumbent(void *arg, const char *path)
{
    return hf_strmap_get(arg, path);
}

static bool entry_is_signed(void *arg, const struct hf_manifest *entry)
{
    (void)arg;
    return entry->n_signatures > 0;
}

static void print(const struct hf_policy_set *set, struct hf_buf *out)
{
    static const char *const names[HF_POLICY_PASSED_COUNT] = {
        [HF_POLICY_PASSED_UNSIGNED] = "Unsigned", [HF_POLICY_PASSED_PRIORITY] = "Priority",
        [HF_POLICY_PASSED_CONFLICT] = "Conflict", [HF_POLICY_PASSED_NO_ROOM] = "NoRoom",
        [HF_POLICY_PASSED_CIRCLE] = "Circle",     [HF_POLICY_PASSED_NEEDS_SIGNATURE] = "NeedsSignature"};
    const char *gap = "";

    for (size_t i = 0; i < set->n_sections; i++, gap = " ")
        ck_assert_int_eq(hf_buf_addf(out, "%s%s:%s%s", gap, set->sections[i].path, set->sections[i].from->name,
                                     set->sections[i].is_signed ? "!" : ""),
                         0);
    gap = " | ";
    for (size_t i = 0; i < set->n_passed; i++) {
        if (set->passed[i].why == HF_POLICY_PASSED_SAME)
            continue;
        ck_assert_int_eq(hf_buf_addf(out, "%s%s:%s %s", gap, set->passed[i].path, set->passed[i].other->name,
                                     names[set->passed[i].why]),
                         0);
        gap = ", ";
    }
}

static const json_t *value_at(const struct hf_syncpolicy *policy, const char *path)
{
    const json_t *spec = json_object_get(policy->json, "spec");
    char name[300] = "";

    if (sscanf(path, "manifests[%299[^]]", name) == 1) {
        for (size_t i = 0; i < policy->n_manifests; i++)
            if (strcmp(policy->manifests[i].name, name) == 0)
                return policy->manifests[i].json;
        return NULL;
    }
    if (sscanf(path, "labels.static[%299[^]]", name) == 1)
        return json_object_get(hf_json_at(spec, "labels.static"), name);
    return hf_json_at(spec, path);
}

/* Each section of the policy in effect is that of the policy that it names, and nothing else is in effect. */
static void check_values(const char *name, const struct hf_policy_set *set, const struct hf_policy_member *members,
                         size_t n)
{
    size_t labels = 0, entries = 0;

    for (size_t i = 0; i < set->n_sections; i++) {
        const struct hf_policy_section *section = &set->sections[i];
        const json_t *in_effect = value_at(set->effective, section->path), *wanted = NULL;
        for (size_t k = 0; k < n; k++)
            if (strcmp(members[k].policy->meta.name, section->from->name) == 0)
                wanted = value_at(members[k].policy, section->path);
        ck_assert_msg(wanted != NULL && json_equal(in_effect, wanted), "%s: %s", name, section->path);
        labels += strncmp(section->path, "labels.static", 13) == 0;
        entries += strncmp(section->path, "manifests", 9) == 0;
    }
    ck_assert_uint_eq(json_object_size(set->effective->static_labels), labels);
    ck_assert_uint_eq(set->effective->n_manifests, entries);
    ck_assert_str_eq(set->effective->meta.name, n > 0 ? set->origins[0].name : "built-in");
    ck_assert_uint_eq(set->n_origins, n);
    const struct hf_policy_section *telemetry = hf_policy_set_find(set, "telemetry");
    ck_assert_int_eq(set->effective->telemetry.is_signed, telemetry != NULL && telemetry->is_signed);
}

static struct hf_policy_set *compose(const char *name, const struct hf_policy_member *members, size_t n,
                                     struct hf_strmap *incumbents)
{
    const struct hf_policy_set_input input = {.members = members,
                                              .n_members = n,
                                              .incumbent = incumbent,
                                              .entry_is_signed = entry_is_signed,
                                              .arg = incumbents};
    struct hf_policy_set *set = NULL;
    struct hf_err err = HF_ERR_INIT;
    char text[300];

    int r = hf_policy_set_compose(&input, &set, &err);
    ck_assert_msg(r == 0, "%s: %s", name, hf_err_text(&err, text, sizeof(text)));
    return set;
}

static void keep(struct hf_strmap *incumbents, const struct hf_policy_set *set)
{
    hf_strmap_done(incumbents);
    for (size_t i = 0; i < set->n_sections; i++)
        ck_assert_int_eq(hf_strmap_put(incumbents, set->sections[i].path, strdup(set->sections[i].from->name)), 0);
}

/* The order in which the policies arrive decides nothing. */
static void run_step(const struct example *example, size_t i, struct hf_strmap *incumbents)
{
    struct hf_policy_member members[MAX_POLICIES], turned[MAX_POLICIES];
    size_t n = read_members(&example->steps[i], members);
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);
    _cleanup_(hf_buf_done) struct hf_buf again = HF_BUF_INIT(1 << 20);

    for (size_t k = 0; k < n; k++)
        turned[k] = members[n - 1 - k];
    _cleanup_(hf_policy_set_freep) struct hf_policy_set *set = compose(example->name, members, n, incumbents);
    _cleanup_(hf_policy_set_freep) struct hf_policy_set *other = compose(example->name, turned, n, incumbents);
    print(set, &text);
    print(other, &again);
    ck_assert_msg(strcmp(hf_buf_str(&text), example->steps[i].out) == 0, "%s, step %zu:\n   got '%s'\nwanted '%s'",
                  example->name, i + 1, hf_buf_str(&text), example->steps[i].out);
    ck_assert_str_eq(hf_buf_str(&again), hf_buf_str(&text));
    check_values(example->name, set, members, n);
    keep(incumbents, set);
    for (size_t k = 0; k < n; k++)
        hf_syncpolicy_free((struct hf_syncpolicy *)(uintptr_t)members[k].policy);
    ck_assert_ptr_nonnull(set->effective->meta.name); /* the set stands without the policies of which it is made */
}

START_TEST(adds_up)
{
    struct hf_strmap incumbents = {.free_value = free};

    for (size_t i = 0; i < MAX_STEPS && examples[_i].steps[i].policies != NULL; i++)
        run_step(&examples[_i], i, &incumbents);
    hf_strmap_done(&incumbents);
}
END_TEST

START_TEST(the_table_has_sixty_examples_of_names_of_their_own)
{
    ck_assert_uint_ge(HF_LEN(examples), 60);
    for (size_t i = 0; i < HF_LEN(examples); i++)
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(examples[i].name, examples[k].name);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, adds_up, 0, (int)HF_LEN(examples));
    tcase_add_test(tc, the_table_has_sixty_examples_of_names_of_their_own);
}
HF_TEST_MAIN("api/policy_set", cases)
