/*
 * The ids of a file in long format: a hash table over an array in the order of first appearance.
 */
#include "data/groups.h"

#include <string.h>

static uint64_t hash_text(const char *text, size_t length) /* FNV-1a, its high bits mixed down */
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    return hash ^ hash >> 32;
}

static bool is_id(const norn_group *group, const char *id, size_t length)
{
    return group->id_length == length && memcmp(group->id, id, length) == 0;
}

/* Doubles the buckets and puts every group into its new place. */
static bool grow_buckets(norn_groups *groups)
{
    const size_t count = groups->bucket_count ? 2 * groups->bucket_count : 64;
    uint32_t *buckets = norn_new(&groups->host, count, sizeof *buckets);
    if (!buckets) return false;
    for (size_t g = 0; g < groups->count; g++) {
        size_t at = (size_t)groups->items[g].hash & (count - 1);
        while (buckets[at]) at = (at + 1) & (count - 1);
        buckets[at] = (uint32_t)(g + 1);
    }
    norn_delete(&groups->host, groups->buckets, groups->bucket_count, sizeof *groups->buckets);
    groups->buckets = buckets;
    groups->bucket_count = count;
    return true;
}

static bool add_group(norn_groups *groups, const char *id, size_t length, uint64_t hash)
{
    if (groups->count >= UINT32_MAX - 1) return false;
    if (groups->count == groups->capacity) {
        const size_t bigger = groups->capacity / 2 * 3 + 16;
        void *items = groups->items;
        if (!norn_resize(&groups->host, &items, groups->capacity, bigger, sizeof *groups->items))
            return false;
        groups->items = items;
        groups->capacity = bigger;
    }
    char *copy = norn_text_copy(&groups->host, id, length);
    if (!copy) return false;
    groups->items[groups->count++] = (norn_group){hash, copy, length, 0, 0, 0};
    return true;
}

norn_status norn_groups_find(norn_groups *groups, const char *id, size_t length, size_t *found,
                             norn_error *err)
{
    if (groups->count && is_id(&groups->items[groups->last], id, length)) {
        *found = groups->last;
        return NORN_OK;
    }
    if (2 * (groups->count + 1) > groups->bucket_count && !grow_buckets(groups))
        return norn_fail_memory(err, "the ids");
    const size_t mask = groups->bucket_count - 1;
    const uint64_t hash = hash_text(id, length);
    size_t at = (size_t)hash & mask, group;
    for (; groups->buckets[at]; at = (at + 1) & mask) {
        group = groups->buckets[at] - 1;
        if (groups->items[group].hash == hash && is_id(&groups->items[group], id, length)) goto known;
    }
    if (!add_group(groups, id, length, hash)) return norn_fail_memory(err, "the ids");
    group = groups->count - 1;
    groups->buckets[at] = (uint32_t)groups->count;
known:
    *found = groups->last = group;
    return NORN_OK;
}

void norn_groups_free(norn_groups *groups)
{
    for (size_t g = 0; g < groups->count; g++)
        norn_delete(&groups->host, groups->items[g].id, groups->items[g].id_length + 1, 1);
    norn_delete(&groups->host, groups->items, groups->capacity, sizeof *groups->items);
    norn_delete(&groups->host, groups->buckets, groups->bucket_count, sizeof *groups->buckets);
    const norn_host host = groups->host;
    memset(groups, 0, sizeof *groups);
    groups->host = host;
}
