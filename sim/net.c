/* SPDX-License-Identifier: BSD-3-Clause */
/* Paths, datagrams in flight, receive buffers: see the header. */
#include "sim/net.h"

#include "base/mem.h"
#include "sim/host.h"
#include "sim/shell.h"
#include "sim/world.h"

#include <string.h>

enum { PORT_FIRST = 40000, MOVED_NET = 100 };

/* A datagram, first in flight, then in the buffer of the socket it reached. */
struct datagram {
    struct sim_event event;
    struct list link;
    struct mesh_address from;
    struct mesh_address to;
    size_t length;
    uint8_t bytes[];
};

void sim_net_init(struct sim_net *net)
{
    *net = (struct sim_net){0};
    net->standard = (struct sim_path){.delay_ns = 100 * SIM_NS_PER_US, .reorder_ns = SIM_NS_PER_MS,
                                      .burst_ns = 50 * SIM_NS_PER_MS};
    net->port_next = PORT_FIRST;
    map_init(&net->paths);
    map_init(&net->sockets);
    map_init(&net->places);
}

static void map_free_values(struct map *map)
{
    for (size_t i = 0; i < map->count; i++)
        mem_free(map->entries[i].value);
    map_fini(map);
    map_init(map);
}

void sim_net_fini(struct sim_net *net)
{
    map_free_values(&net->paths);
    map_free_values(&net->places);
    map_fini(&net->sockets);
}

static uint64_t hash_name(const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * UINT64_C(1099511628211);
    return hash;
}

uint32_t sim_net_place(struct sim_net *net, const char *name)
{
    struct sim_place *place = map_get(&net->places, hash_name(name));
    if (place)
        return place->number;
    place = mem_calloc(1, sizeof(*place));
    if (!place)
        return 0;
    place->number = (uint32_t)net->places.count + 1;
    str_copy(place->name, sizeof(place->name), name);
    if (map_put(&net->places, hash_name(name), place) < 0) {
        mem_free(place);
        return 0;
    }
    return place->number;
}

void sim_net_address(uint32_t place, uint8_t ip[16])
{
    memset(ip, 0, 16);
    ip[10] = ip[11] = 0xff;
    ip[12] = 10;
    ip[13] = (uint8_t)(place >> 16);
    ip[14] = (uint8_t)(place >> 8);
    ip[15] = (uint8_t)place;
}

struct sim_path *sim_net_path(struct sim_net *net, uint32_t from, uint32_t to)
{
    struct sim_path *path = map_get2(&net->paths, from, to);
    if (path)
        return path;
    path = mem_dup(&net->standard, sizeof(net->standard));
    if (path && map_put2(&net->paths, from, to, path) < 0) {
        mem_free(path);
        return NULL;
    }
    return path;
}

struct sim_place *sim_net_place_of(const struct sim_net *net, uint32_t number)
{
    return net->places.entries[number - 1].value;
}

void sim_net_heal(struct sim_net *net, uint64_t now_ns)
{
    map_free_values(&net->paths);
    struct sim_path *standard = &net->standard;
    standard->cut = false;
    standard->loss_ppm = standard->duplicate_ppm = standard->reorder_ppm = 0;
    standard->corrupt_ppm = standard->burst_ppm = 0;
    for (uint32_t i = 1; i <= net->places.count; i++) {
        struct sim_place *place = sim_net_place_of(net, i);
        place->side = 0;
        place->isolated = false;
        place->dark_until_ns = 0;
    }
    net->sides = 0;
    net->changed_ns = now_ns;
}

static bool places_pass(const struct sim_net *net, uint32_t from, uint32_t to, uint64_t now_ns)
{
    if (from == to)
        return true;
    const struct sim_place *a = sim_net_place_of(net, from);
    const struct sim_place *b = sim_net_place_of(net, to);
    if (a->isolated || b->isolated || a->dark_until_ns > now_ns || b->dark_until_ns > now_ns)
        return false;
    return !a->side || !b->side || a->side == b->side;
}

static bool path_passes(const struct sim_path *path, uint64_t now_ns)
{
    return !path->cut && path->cut_until_ns <= now_ns;
}

static const struct sim_path *path_between(const struct sim_net *net, uint32_t from, uint32_t to)
{
    const struct sim_path *path = map_get2(&net->paths, from, to);
    return path ? path : &net->standard;
}

bool sim_net_passes(const struct sim_net *net, uint32_t from, uint32_t to, uint64_t now_ns)
{
    return places_pass(net, from, to, now_ns) && path_passes(path_between(net, from, to), now_ns);
}

static uint64_t address_key(const struct mesh_address *address)
{
    return (uint64_t)address->ip[12] << 40 | (uint64_t)address->ip[13] << 32 |
           (uint64_t)address->ip[14] << 24 | (uint64_t)address->ip[15] << 16 | address->port;
}

int sim_net_bind(struct sim_net *net, const struct mesh_address *address, struct sim_host *host)
{
    return map_put(&net->sockets, address_key(address), host);
}

void sim_net_unbind(struct sim_net *net, const struct mesh_address *address)
{
    map_remove(&net->sockets, address_key(address));
}

uint16_t sim_net_port(struct sim_net *net, const uint8_t ip[16], bool same_again)
{
    struct mesh_address address = {.port = 0};
    const uint32_t number = (uint32_t)ip[13] << 16 | (uint32_t)ip[14] << 8 | ip[15];
    struct sim_place *place = ip[12] == 10 && number && number <= net->places.count
                                  ? sim_net_place_of(net, number)
                                  : NULL;
    memcpy(address.ip, ip, sizeof(address.ip));
    address.port = place ? place->port_last : 0;
    if (!same_again || !address.port || map_get(&net->sockets, address_key(&address))) {
        do {
            address.port = net->port_next++;
            net->port_next = (uint16_t)MAX_OF(net->port_next, PORT_FIRST);
        } while (map_get(&net->sockets, address_key(&address)));
    }
    if (place)
        place->port_last = address.port;
    return address.port;
}

int sim_net_rebind(struct sim_world *world, struct sim_host *host, bool moves)
{
    struct mesh_address address = host->address;
    if (moves)
        address.ip[12] = address.ip[12] == 10 ? MOVED_NET : (uint8_t)(address.ip[12] + 1);
    address.port = sim_net_port(&world->net, address.ip, false);
    sim_net_unbind(&world->net, &host->address);
    host->address = address;
    return sim_net_bind(&world->net, &host->address, host);
}

size_t sim_datagram_charge(size_t length)
{
    enum { SK_BUFF = 256, HEADERS = 64, SHARED_INFO = 320, SLAB_MIN = 512, SLAB_MAX = 32768 };
    const size_t need = length + HEADERS + SHARED_INFO;
    size_t slab = SLAB_MIN;
    while (slab < need && slab < SLAB_MAX)
        slab *= 2;
    return SK_BUFF + (slab < need ? need + SLAB_MIN : slab);
}

static void datagram_cancel(struct sim_event *event)
{
    mem_free(CONTAINER_OF(event, struct datagram, event));
}

/* The end of the flight: into the receive buffer, or dropped when that is full. The daemon is
 * not asked, so a frozen one overflows too. */
static void datagram_arrive(struct sim_world *world, struct sim_event *event)
{
    struct datagram *datagram = CONTAINER_OF(event, struct datagram, event);
    struct sim_net *net = &world->net;
    struct sim_host *host = map_get(&net->sockets, address_key(&datagram->to));
    if (!host || (host->standstill & SIM_SUSPENDED)) {
        net->counters.nowhere++;
        mem_free(datagram);
        return;
    }
    struct sim_socket *socket = &host->socket;
    sim_trace_mix(&world->trace, world->now_ns, (uint64_t)datagram->length << 32 | host->place);
    if (socket->used_bytes + sim_datagram_charge(datagram->length) >
        world->settings.receive_buffer_bytes) {
        net->counters.overflowed++;
        socket->overflowed++;
        SIM_TELL(world, SIM_TRACE_NET, host->name, "receive buffer full, %zu bytes dropped",
                 datagram->length);
        mem_free(datagram);
        return;
    }
    socket->used_bytes += sim_datagram_charge(datagram->length);
    socket->used_bytes_max = MAX_OF(socket->used_bytes_max, socket->used_bytes);
    socket->count++;
    list_push_back(&socket->datagrams, &datagram->link);
    sim_host_socket_readable(world, host);
}

/* The same answer for everything that goes the same way in the same piece of time: without a state
 * for each path. */
static bool bursts(const struct sim_world *world, const struct sim_path *path, uint32_t from,
                   uint32_t to)
{
    if (!path->burst_ppm)
        return false;
    struct rng rng;
    rng_seed(&rng, world->seed ^ world->now_ns / path->burst_ns << 24 ^ (uint64_t)from << 12 ^ to);
    return rng_chance(&rng, path->burst_ppm);
}

static void corrupt(struct sim_world *world, struct datagram *datagram)
{
    for (uint64_t i = rng_below(&world->wire, 3); datagram->length && i < 3; i++)
        datagram->bytes[rng_below(&world->wire, datagram->length)] ^=
            (uint8_t)(1u << rng_below(&world->wire, 8));
    world->net.counters.corrupted++;
}

static uint64_t path_delay(struct sim_world *world, const struct sim_path *path)
{
    uint64_t delay_ns = path->delay_ns;
    if (path->jitter_ns)
        delay_ns += rng_below(&world->wire, path->jitter_ns);
    if (path->reorder_ppm && rng_chance(&world->wire, path->reorder_ppm)) {
        world->net.counters.reordered++;
        delay_ns += path->reorder_ns + rng_below(&world->wire, path->reorder_ns + 1);
    }
    if (path->clogged_until_ns > world->now_ns)
        delay_ns += path->clogged_until_ns - world->now_ns;
    return delay_ns;
}

static void launch(struct sim_world *world, struct sim_host *from, const struct mesh_address *to,
                   const uint8_t *bytes, size_t length, const struct sim_path *path)
{
    const uint64_t delay_ns = path_delay(world, path);
    struct datagram *datagram = mem_alloc(sizeof(*datagram) + length);
    if (!datagram)
        return;
    *datagram = (struct datagram){.from = from->address, .to = *to, .length = length};
    memcpy(datagram->bytes, bytes, length);
    if (path->corrupt_ppm && rng_chance(&world->wire, path->corrupt_ppm))
        corrupt(world, datagram);
    sim_event_init(&datagram->event, NULL, datagram_arrive, datagram_cancel);
    sim_after(world, &datagram->event, delay_ns);
}

void sim_net_send(struct sim_world *world, struct sim_host *from, const struct mesh_address *to,
                  const uint8_t *bytes, size_t length)
{
    struct sim_net *net = &world->net;
    const struct sim_host *host = map_get(&net->sockets, address_key(to));
    const struct sim_path *path =
        host ? path_between(net, from->place, host->place) : &net->standard;
    net->counters.sent++;
    net->counters.sent_bytes += length;
    from->socket.sent++;
    sim_trace_mix(&world->trace, world->now_ns, (uint64_t)length << 32 | from->place);
    SIM_TELL(world, SIM_TRACE_NET, from->name, "datagram of %zu bytes to %s", length,
             host ? host->name : "nobody");
    if (host && !(path_passes(path, world->now_ns) &&
                  places_pass(net, from->place, host->place, world->now_ns))) {
        net->counters.cut++;
        return;
    }
    if ((path->loss_ppm && rng_chance(&world->wire, path->loss_ppm)) ||
        (host && bursts(world, path, from->place, host->place))) {
        net->counters.lost++;
        SIM_TELL(world, SIM_TRACE_NET, from->name, "lost on the way");
        return;
    }
    launch(world, from, to, bytes, length, path);
    if (path->duplicate_ppm && rng_chance(&world->wire, path->duplicate_ppm)) {
        net->counters.duplicated++;
        launch(world, from, to, bytes, length, path);
    }
}

bool sim_socket_read(struct sim_world *world, struct sim_host *host)
{
    struct sim_socket *socket = &host->socket;
    struct list *first = list_first(&socket->datagrams);
    if (!first)
        return false;
    struct datagram *datagram = LIST_ENTRY(first, struct datagram, link);
    list_remove(first);
    socket->used_bytes -= sim_datagram_charge(datagram->length);
    socket->count--;
    world->net.counters.received++;
    socket->received++;
    sim_host_receive(world, host, &datagram->from, datagram->bytes, datagram->length);
    mem_free(datagram);
    return true;
}

void sim_socket_init(struct sim_socket *socket)
{
    *socket = (struct sim_socket){0};
    list_init(&socket->datagrams);
}

void sim_socket_fini(struct sim_socket *socket)
{
    LIST_EACH(pos, following, &socket->datagrams)
        mem_free(LIST_ENTRY(pos, struct datagram, link));
    list_init(&socket->datagrams);
}
