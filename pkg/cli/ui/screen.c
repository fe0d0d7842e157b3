/* SPDX-License-Identifier: Apache-2.0 */
/* The picture, from the top: where we are, the counts, the rollouts, the map, the nodes, the keys. Each part takes what
 * it needs up to its share of the lines, and the nodes take the rest. */
#include "cli/ui/screen.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/asprintf.h"
#include "base/encoding/plain.h"
#include "base/format.h"
#include "cli/fleet/table.h"

enum { ALL_LINES = 100000, MOST_GROUPS = 400 };

/* From what needs a person to what needs nothing. */
static const struct {
    unsigned look;
    char cell;
    const char *word, *many;
    enum hf_tint tint;
} looks[HF_UI_LOOKS] = {
    {HF_UI_BAD, '#', "needs a person", "need a person", HF_TINT_BAD},
    {HF_UI_AWAY, 'x', "silent", "silent", HF_TINT_FAINT},
    {HF_UI_WAIT, '~', "waits", "wait", HF_TINT_NONE},
    {HF_UI_BUSY, '>', "at work", "at work", HF_TINT_BUSY},
    {HF_UI_GOOD, '.', "well", "well", HF_TINT_GOOD},
};

struct screen_item {
    const char *name;
    const json_t *row;
    const char *group;
    unsigned rank; /* into looks[] */
    int64_t seen;
};

struct screen_canvas {
    const struct hf_ui_screen *screen;
    struct hf_buf *out;
    unsigned used, lines; /* lines that are drawn, and may be drawn */
    int r;
};

/* ---- lines ------------------------------------------------------------------------------------------------------- */

/* The bytes of the first `columns` characters. */
static size_t cut(const char *text, size_t columns)
{
    size_t n = 0;

    while (text[n] != '\0' && (columns > 0 || ((unsigned char)text[n] & 0xc0) == 0x80))
        columns -= ((unsigned char)text[n++] & 0xc0) != 0x80;
    return n;
}

static void HF_PRINTF(3, 4) line(struct screen_canvas *canvas, enum hf_tint tint, const char *format, ...)
{
    _cleanup_(hf_freep) char *text = NULL;
    bool colour = canvas->screen->colour;
    va_list args;

    if (canvas->used == canvas->lines || canvas->r < 0)
        return;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    if (text == NULL) {
        canvas->r = -ENOMEM;
        return;
    }
    text[hf_plain_bytes(text, strlen(text), "", text)] = '\0';
    size_t n = cut(text, canvas->screen->columns);
    while (n > 0 && text[n - 1] == ' ')
        n--;
    canvas->r = hf_buf_addf(canvas->out, "%s%s%.*s%s", canvas->used > 0 ? "\n" : "", hf_table_tint(tint, colour),
                            (int)n, text, hf_table_untint(tint, colour));
    canvas->used++;
}

/* `text` in `columns` characters of a line. Borrowed from a ring of a few. */
static const char *cell(const char *text, size_t columns)
{
    static char ring[8][256];
    static unsigned next;
    char *to = ring[next++ % HF_LEN(ring)];
    size_t n = cut(text, columns), width = 0;

    n = HF_MIN(n, sizeof(ring[0]) - 64);
    memcpy(to, text, n);
    for (size_t i = 0; i < n; i++)
        width += ((unsigned char)to[i] & 0xc0) != 0x80;
    while (width++ < columns && n < sizeof(ring[0]) - 1)
        to[n++] = ' ';
    to[n] = '\0';
    return to;
}

static const char *age_of(const struct hf_ui_screen *screen, int64_t seen, char text[24])
{
    int64_t age = screen->now_unix_s > seen ? screen->now_unix_s - seen : 0;

    if (seen <= 0)
        return "never";
    if (age < 120)
        (void)snprintf(text, 24, "%llds", (long long)age);
    else if (age < 7200)
        (void)snprintf(text, 24, "%lldm", (long long)age / 60);
    else if (age < 2 * 86400)
        (void)snprintf(text, 24, "%lldh", (long long)age / 3600);
    else
        (void)snprintf(text, 24, "%lldd", (long long)age / 86400);
    return text;
}

/* ---- what is shown ----------------------------------------------------------------------------------------------- */

static unsigned rank_of(unsigned look)
{
    unsigned i = 0;

    while (looks[i].look != look)
        i++;
    return i;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct screen_item *)a)->name, ((const struct screen_item *)b)->name);
}

static int by_state(const void *a, const void *b)
{
    const struct screen_item *x = a, *y = b;

    return x->rank != y->rank ? (x->rank < y->rank ? -1 : 1) : by_name(a, b);
}

static int by_silence(const void *a, const void *b)
{
    const struct screen_item *x = a, *y = b;

    return x->seen != y->seen ? (x->seen < y->seen ? -1 : 1) : by_name(a, b);
}

static int by_group(const void *a, const void *b)
{
    int r = strcmp(((const struct screen_item *)a)->group, ((const struct screen_item *)b)->group);

    return r != 0 ? r : by_state(a, b);
}

static const struct {
    const char *name;
    int (*compare)(const void *a, const void *b);
} sorts[HF_UI_SORTS] = {[HF_UI_BY_STATE] = {"state", by_state},
                        [HF_UI_BY_NAME] = {"name", by_name},
                        [HF_UI_BY_SILENCE] = {"last report", by_silence}};

/* The nodes that the filter lets through, sorted. NULL: out of memory. */
static struct screen_item *items_of(const struct hf_ui_screen *screen, size_t *ret_n)
{
    const struct hf_ui_model *model = screen->model;
    const char *site = hf_ui_model_site_key(model);
    struct screen_item *items = calloc(model->nodes.n + 1, sizeof(*items));
    size_t n = 0;

    for (size_t i = 0; i < model->nodes.n && items != NULL; i++) {
        const char *name = model->nodes.entries[i].key;
        const json_t *row = model->nodes.entries[i].value;
        if (screen->find[0] != '\0' && !hf_ui_model_matches(model, name, screen->find))
            continue;
        items[n++] = (struct screen_item){.name = name,
                                          .row = row,
                                          .group = site != NULL ? hf_ui_model_label(model, name, site) : "",
                                          .rank = rank_of(hf_ui_model_look(row, screen->now_unix_s)),
                                          .seen = hf_json_int_or(row, "seen", 0)};
    }
    *ret_n = n;
    return items;
}

/* ---- the parts --------------------------------------------------------------------------------------------------- */

static void draw_head(struct screen_canvas *canvas, size_t n)
{
    static const char *const kinds[] = {"nodes", "updates", "labels"};
    const struct hf_ui_screen *screen = canvas->screen;
    const json_t *contexts = hf_json_at(screen->state, "contexts"), *first = json_array_get(contexts, 0);
    const char *context = hf_json_str_or(first, "context", "");

    if (json_array_size(contexts) > 1)
        line(canvas, HF_TINT_NONE, "holdfast top: %zu clusters, %zu of %zu nodes", json_array_size(contexts), n,
             screen->model->nodes.n);
    else
        line(canvas, HF_TINT_NONE, "holdfast top: %s%s%s, %zu of %zu nodes", context, context[0] != '\0' ? " at " : "",
             hf_json_str_or(first, "server", ""), n, screen->model->nodes.n);
    for (size_t i = 0; i < json_array_size(contexts); i++)
        for (size_t k = 0; k < HF_LEN(kinds); k++) {
            const json_t *one = json_array_get(contexts, i), *kind = json_object_get(one, kinds[k]);
            if (hf_json_bool_or(kind, "lost", false))
                line(canvas, HF_TINT_BAD, "! %s %s: %s", hf_json_str_or(one, "context", ""), kinds[k],
                     hf_json_str_or(kind, "why", ""));
        }
    if (hf_json_bool_or(screen->state, "partial", false))
        line(canvas, HF_TINT_BAD, "! some objects cannot be read, or found no room");
}

static void draw_counts(struct screen_canvas *canvas, const struct screen_item *items, size_t n)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1024);
    size_t counts[HF_UI_LOOKS] = {0};

    for (size_t i = 0; i < n; i++)
        counts[items[i].rank]++;
    for (size_t i = 0; i < HF_UI_LOOKS; i++)
        (void)!hf_buf_addf(&text, "%s%c %zu %s", i > 0 ? "   " : "", looks[i].cell, counts[i],
                           counts[i] == 1 ? looks[i].word : looks[i].many);
    line(canvas, HF_TINT_NONE, "%s", hf_buf_str(&text));
}

static void draw_rollouts(struct screen_canvas *canvas, unsigned most)
{
    const struct hf_strmap *updates = &canvas->screen->model->updates;
    unsigned drawn = 0;

    for (int person = 1; person >= 0; person--)
        for (size_t i = 0; i < updates->n; i++) {
            const json_t *row = updates->entries[i].value, *nodes = hf_json_at(row, "nodes");
            if (hf_json_bool_or(row, "person", false) != (person == 1) || drawn == most)
                continue;
            drawn++;
            line(canvas, person == 1 ? HF_TINT_BAD : HF_TINT_NONE, "%c %s %s %s %s %lld/%lld updated, %lld failed  %s",
                 person == 1 ? '#' : ' ', cell(updates->entries[i].key, 16),
                 cell(hf_json_str_or(row, "version", ""), 8), cell(hf_json_str_or(row, "state", ""), 11),
                 cell(hf_json_str_or(row, "stage", ""), 13), (long long)hf_json_int_or(nodes, "updated", 0),
                 (long long)hf_json_int_or(nodes, "selected", 0), (long long)hf_json_int_or(nodes, "failed", 0),
                 hf_json_str_or(row, "reason", ""));
        }
    if (updates->n > drawn)
        line(canvas, HF_TINT_FAINT, "  %zu more rollouts: holdfast status", updates->n - drawn);
}

/* A line for each group, first those with the most nodes that need a person. */
static void draw_map(struct screen_canvas *canvas, struct screen_item *items, size_t n, unsigned most)
{
    struct {
        size_t first, n, bad;
    } groups[MOST_GROUPS];
    size_t n_groups = 0, columns = canvas->screen->columns;

    qsort(items, n, sizeof(*items), by_group);
    for (size_t i = 0; i < n; i++) {
        bool begins = i == 0 || strcmp(items[i].group, items[i - 1].group) != 0;
        if (begins && n_groups == MOST_GROUPS)
            break;
        if (begins)
            groups[n_groups++].first = i, groups[n_groups - 1].n = groups[n_groups - 1].bad = 0;
        groups[n_groups - 1].n++;
        groups[n_groups - 1].bad += items[i].rank == 0;
    }
    size_t shown = HF_MIN(n_groups, (size_t)most), wide = columns > 40 ? 16 : 8;
    for (size_t k = 0; k < shown; k++) {
        size_t best = k;
        for (size_t i = k + 1; i < n_groups; i++)
            if (groups[i].bad > groups[best].bad ||
                (groups[i].bad == groups[best].bad && groups[i].first < groups[best].first))
                best = i;
        __typeof__(groups[0]) group = groups[best];
        groups[best] = groups[k];
        groups[k] = group;
        size_t cells = HF_MIN(group.n, columns > wide + 9 ? columns - wide - 9 : 0);
        _cleanup_(hf_freep) char *map = calloc(1, cells + 1);
        for (size_t i = 0; i < cells && map != NULL; i++)
            map[i] = looks[items[group.first + i].rank].cell;
        const char *title = items[group.first].group;
        line(canvas, HF_TINT_NONE, "%s %6zu  %s", cell(title[0] != '\0' ? title : "all", wide), group.n,
             map != NULL ? map : "");
    }
    if (n_groups > shown)
        line(canvas, HF_TINT_FAINT, "%zu more groups: narrow them down with /", n_groups - shown);
}

/* Where the selection is, after the reader's move. */
static size_t select_item(struct hf_ui_screen *screen, const struct screen_item *items, size_t n)
{
    long at = screen->open ? -1 : 0;

    for (size_t i = 0; i < n; i++)
        if (strcmp(items[i].name, screen->selected) == 0)
            at = (long)i;
    if (at < 0) /* open, and gone or behind the filter: it stays the one */
        return 0;
    at = HF_MAX(0L, HF_MIN(at + screen->move, (long)n - 1));
    screen->move = 0;
    if (n > 0)
        (void)snprintf(screen->selected, sizeof(screen->selected), "%s", items[at].name);
    return (size_t)at;
}

/* A line of the list. The release stands only where there is room. */
static void draw_row(struct screen_canvas *canvas, enum hf_tint tint, char mark, char look, const char *const cells[6])
{
    unsigned columns = canvas->screen->columns, name = columns >= 100 ? 30 : columns >= 60 ? 20 : 12;

    line(canvas, tint, "%c%s %c %s %s %s %s%s%s", mark, cell(cells[0], name), look, cell(cells[1], 18),
         cell(cells[2], 6), cell(cells[3], 10), cell(cells[4], columns >= 100 ? 14 : 0), columns >= 100 ? " " : "",
         cells[5]);
}

static void draw_node(struct screen_canvas *canvas, const struct screen_item *item, bool is_selected)
{
    const json_t *update = hf_ui_model_update(item->row);
    bool silent = looks[item->rank].look == HF_UI_AWAY;
    char age[24];

    draw_row(canvas, looks[item->rank].tint, is_selected ? '>' : ' ', looks[item->rank].cell,
             (const char *const[6]){item->name, silent ? "Silent" : hf_json_str_or(item->row, "reason", ""),
                                    age_of(canvas->screen, item->seen, age), hf_json_str_or(update, "i", ""),
                                    hf_json_str_or(update, "r", ""), hf_json_str_or(item->row, "message", "")});
}

static void draw_list(struct screen_canvas *canvas, struct screen_item *items, size_t n, size_t at)
{
    const struct hf_ui_screen *screen = canvas->screen;

    draw_row(canvas, HF_TINT_FAINT, ' ', ' ', (const char *const[6]){"NODE", "REASON", "SEEN", "RUNS", "RELEASE", ""});
    qsort(items, n, sizeof(*items), sorts[screen->sort].compare); /* again: the map has its own order */
    size_t room = canvas->lines - canvas->used;
    size_t first = room > 0 && at >= room ? at - room + 1 : 0;

    for (size_t i = first; i < n && canvas->used < canvas->lines; i++)
        draw_node(canvas, &items[i], screen->lines > 0 && i == at);
}

static void draw_details(struct screen_canvas *canvas, const struct hf_ui_screen *screen)
{
    const struct hf_ui_model *model = screen->model;
    const json_t *node = hf_strmap_get(&model->nodes, screen->selected), *updates = hf_json_at(node, "updates");
    const char *site = hf_ui_model_site_key(model), *key;
    _cleanup_(hf_json_freep) json_t *apart =
        node != NULL ? hf_ui_model_compare(model, screen->selected, site != NULL ? site : "") : NULL;
    json_t *labels = json_object_get(hf_strmap_get(&model->labels, screen->selected), "labels"), *value;
    char age[24];

    if (node == NULL) {
        line(canvas, HF_TINT_NONE, "%s: the node is gone", screen->selected);
        return;
    }
    unsigned rank = rank_of(hf_ui_model_look(node, screen->now_unix_s));
    line(canvas, looks[rank].tint, "%s: %c %s  %s %s", screen->selected, looks[rank].cell, looks[rank].word,
         hf_json_str_or(node, "reason", ""), hf_json_str_or(node, "what", ""));
    line(canvas, HF_TINT_NONE, "%s", hf_json_str_or(node, "message", ""));
    line(canvas, HF_TINT_NONE, "last report %s ago, agent %s, policy %s",
         age_of(screen, hf_json_int_or(node, "seen", 0), age), hf_json_str_or(node, "agent", ""),
         hf_json_str_or(node, "policy", ""));
    for (size_t i = 0; i < json_array_size(updates); i++) {
        const json_t *one = json_array_get(updates, i);
        line(canvas, HF_TINT_NONE, "release %s: runs %s, wants %s  %s %s", hf_json_str_or(one, "r", ""),
             hf_json_str_or(one, "i", ""), hf_json_str_or(one, "v", ""), hf_json_str_or(one, "p", ""),
             hf_json_str_or(one, "w", ""));
    }
    const json_t *differs = hf_json_at(apart, "apart");
    line(canvas, HF_TINT_NONE, "unlike its %lld neighbours%s%s: %s", (long long)hf_json_int_or(apart, "n", 0),
         hf_json_str_or(apart, "by", "")[0] != '\0' ? " of " : "", hf_json_str_or(apart, "by", ""),
         json_array_size(differs) == 0 ? "nothing" : "");
    for (size_t i = 0; i < json_array_size(differs); i++) {
        const json_t *one = json_array_get(differs, i);
        line(canvas, HF_TINT_NONE, "  %s: '%s', not '%s' as %lld have", hf_json_str_or(one, "what", ""),
             hf_json_str_or(one, "mine", ""), hf_json_str_or(one, "most", ""), (long long)hf_json_int_or(one, "n", 0));
    }
    json_object_foreach(labels, key, value) {
        line(canvas, HF_TINT_FAINT, "label %s=%s", key, json_string_value(value));
    }
}

/* ---- the picture ------------------------------------------------------------------------------------------------- */

/* Below the others, in the last line. */
static void draw_keys(struct screen_canvas *canvas)
{
    const struct hf_ui_screen *screen = canvas->screen;

    while (canvas->used < canvas->lines && canvas->r == 0)
        line(canvas, HF_TINT_NONE, "%s", "");
    canvas->lines++;
    if (screen->typing)
        line(canvas, HF_TINT_NONE, "/%s_", screen->find);
    else if (screen->open)
        line(canvas, HF_TINT_FAINT, "esc back   up, down scroll   q quit");
    else
        line(canvas, HF_TINT_FAINT, "/ filter%s%s   s sort (%s)   enter details   q quit",
             screen->find[0] != '\0' ? ": " : "", screen->find, sorts[screen->sort].name);
}

/* Draws details below the top of the screen, from the line where the reader has scrolled to. */
static int draw_open(struct screen_canvas *canvas, const struct hf_ui_screen *screen)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_UI_MAX_SCREEN_BYTES);
    struct screen_canvas whole = {.screen = screen, .out = &text, .lines = ALL_LINES};
    struct hf_view rest, one;

    draw_details(&whole, screen);
    rest = hf_buf_view(&text);
    unsigned skip = HF_MIN(screen->scroll, whole.used > 0 ? whole.used - 1 : 0);
    for (unsigned i = 0; whole.r == 0 && canvas->used < canvas->lines && hf_view_split(&rest, '\n', &one); i++) {
        if (i < skip)
            continue;
        whole.r = hf_buf_addf(canvas->out, "%s%.*s", canvas->used > 0 ? "\n" : "", (int)one.n, one.p);
        canvas->used++;
    }
    return whole.r;
}

int hf_ui_screen_draw(struct hf_ui_screen *screen, struct hf_buf *out)
{
    bool whole = screen->lines == 0;
    struct screen_canvas canvas = {.screen = screen, .out = out, .lines = whole ? ALL_LINES : screen->lines - 1};
    size_t n;
    struct screen_item *items = items_of(screen, &n);

    if (items == NULL)
        return -ENOMEM;
    qsort(items, n, sizeof(*items), sorts[screen->sort].compare);
    size_t at = select_item(screen, items, n);
    if (screen->open) {
        canvas.r = draw_open(&canvas, screen);
    } else {
        draw_head(&canvas, n);
        draw_counts(&canvas, items, n);
        draw_rollouts(&canvas, whole ? ALL_LINES : HF_MAX(screen->lines / 6, 1u));
        draw_map(&canvas, items, n, whole ? ALL_LINES : HF_MAX(screen->lines / 4, 1u));
        draw_list(&canvas, items, n, at);
    }
    if (!whole)
        draw_keys(&canvas);
    free(items);
    return canvas.r;
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

static void type(struct hf_ui_screen *screen, char c)
{
    size_t n = strlen(screen->find);

    if (c == '\r' || c == '\n') {
        screen->typing = false;
    } else if (c == 0x7f || c == '\b') {
        while (n > 0 && ((unsigned char)screen->find[--n] & 0xc0) == 0x80)
            ;
        screen->find[n] = '\0';
    } else if ((unsigned char)c >= 0x20 && n + 1 < sizeof(screen->find)) {
        screen->find[n] = c;
        screen->find[n + 1] = '\0';
    }
}

static void go(struct hf_ui_screen *screen, int by)
{
    if (!screen->open)
        screen->move += by;
    else
        screen->scroll = by < 0 && screen->scroll < (unsigned)-by ? 0 : screen->scroll + (unsigned)by;
}

static void escape(struct hf_ui_screen *screen)
{
    if (screen->open)
        screen->open = false;
    else
        screen->find[0] = '\0';
    screen->typing = false;
}

/* An escape sequence at `bytes`, which begins with ESC: returns its length; 1: the key Esc. */
static size_t take_sequence(struct hf_ui_screen *screen, const char *bytes, size_t n)
{
    int page = (int)HF_MAX(screen->lines / 2, 1u);
    size_t used = 2;

    if (n < 3 || (bytes[1] != '[' && bytes[1] != 'O')) {
        escape(screen);
        return 1;
    }
    while (used < n && ((bytes[used] >= '0' && bytes[used] <= '9') || bytes[used] == ';'))
        used++;
    switch (used < n ? bytes[used] : '\0') {
    case 'A':
        go(screen, -1);
        break;
    case 'B':
        go(screen, 1);
        break;
    case 'H':
        go(screen, -ALL_LINES);
        break;
    case 'F':
        go(screen, ALL_LINES);
        break;
    case '~':
        go(screen, bytes[2] == '5' ? -page : bytes[2] == '6' ? page : 0);
        break;
    default:
        break;
    }
    return HF_MIN(used + 1, n);
}

static bool take_key(struct hf_ui_screen *screen, char c)
{
    if (c == 'q')
        return false;
    if (c == '/' && !screen->open)
        screen->typing = true;
    else if (c == 's')
        screen->sort = (screen->sort + 1) % HF_UI_SORTS;
    else if (c == 'j' || c == 'k')
        go(screen, c == 'j' ? 1 : -1);
    else if (c == 'g' || c == 'G')
        go(screen, c == 'G' ? ALL_LINES : -ALL_LINES);
    else if ((c == '\r' || c == '\n') && screen->selected[0] != '\0') {
        screen->open = true;
        screen->scroll = 0;
    }
    return true;
}

bool hf_ui_screen_input(struct hf_ui_screen *screen, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n;) {
        if (bytes[i] == 0x1b) {
            i += take_sequence(screen, bytes + i, n - i);
            continue;
        }
        if (screen->typing)
            type(screen, bytes[i]);
        else if (!take_key(screen, bytes[i]))
            return false;
        i++;
    }
    return true;
}
