package org.malote.queue.schedule;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// Due times and turns. An entry waits for its time in a wheel, then in its destination's lane,
/// first come first served. Destinations whose mail the same hosts take share a site, which bounds
/// what they get at a time, see [Site]. Sites that have due entries and may have an attempt take
/// turns, one entry each, and so do the lanes of a site: a destination with a hundred thousand
/// entries delays another by one claim.
///
/// Entries are numbers of an [EntryTable]; an owner allocates and frees them. Not thread-safe.
public final class LaneSchedule {
    // States of an entry.
    /// In a lane, waiting for nothing.
    private static final byte IDLE = 0;

    /// In the wheel.
    private static final byte TIMED = 1;

    /// In its lane's line.
    private static final byte READY = 2;

    /// Counted in its site's window.
    private static final byte CLAIMED = 3;

    /// Settled, and not yet rescheduled: no longer in the window.
    private static final byte SETTLED = 4;

    /// In the line of those that no site bounds.
    private static final byte URGENT = 5;

    /// Out of that line.
    private static final byte CLAIMED_URGENTLY = 6;

    /// In the wheel, and then in that line.
    private static final byte TIMED_URGENTLY = 7;

    /// A clock that goes back by no more than this is waited for. Ours: what NTP steps by.
    private static final long STEP_BACK_MAX_MILLIS = 1000;

    /// Sites that are remembered when they have no entry any more: whether a host is down is worth
    /// knowing when the next message for it comes. Ours: half a megabyte.
    private static final int IDLE_SITES_MAX = 4096;

    /// Destinations whose site is remembered, the same. Ours: a megabyte or two.
    private static final int IDLE_DESTINATIONS_MAX = 16_384;

    private final EntryTable table;
    private final SiteLimits standard;
    private final int totalMax;
    private final RandomGenerator random;
    private final TimingWheel wheel;

    private final List<@Nullable Lane> lanes = new ArrayList<>();
    private final ArrayList<Integer> freeLanes = new ArrayList<>();
    private final Map<String, Lane> byDestination = new HashMap<>();
    private final Map<String, Site> sites = new HashMap<>();
    private final Map<String, Site> idleSites = bounded(IDLE_SITES_MAX);
    private final Map<String, String> idleDestinations = bounded(IDLE_DESTINATIONS_MAX);
    private final Set<String> suspended = new TreeSet<>();

    private final TellingPace telling = new TellingPace();

    private final ArrayDeque<Site> turns = new ArrayDeque<>();

    /// Sites with due entries that must wait for a time.
    private final PriorityQueue<Site> paused =
            new PriorityQueue<>(Comparator.comparingLong(Site::notBeforeMillis));

    /// A list of the table.
    private final int urgent;

    private boolean isUrgentsTurn;
    private int claims;

    /// Of the site of the last claim, when that is only told so.
    private @Nullable String trouble;

    /// @param standard of a site of which nothing else is said
    /// @param totalMax claims at a time
    /// @param random varies how long sites are left alone
    public LaneSchedule(
            EntryTable table, SiteLimits standard, int totalMax, RandomGenerator random) {
        if (totalMax < 1) {
            throw new IllegalArgumentException("one claim at least must be let through");
        }
        this.table = table;
        this.standard = standard;
        this.totalMax = totalMax;
        this.random = random;
        this.wheel = new TimingWheel(table);
        this.urgent = table.allocate();
    }

    private static <V> Map<String, V> bounded(int max) {
        return new LinkedHashMap<>() {
            @Override
            protected boolean removeEldestEntry(Map.Entry<String, V> eldest) {
                return size() > max;
            }
        };
    }

    // ---- Entries ----

    /// Takes a new entry into a lane; it waits for nothing until it is scheduled.
    public void add(int entry, String destination) {
        Lane lane = byDestination.get(destination);
        if (lane == null) {
            lane = open(destination);
        }
        lane.entries++;
        table.setLane(entry, lane.number);
        table.setState(entry, IDLE);
    }

    private Lane open(String destination) {
        String key = idleDestinations.remove(destination);
        int number = freeLanes.isEmpty() ? lanes.size() : freeLanes.removeLast();
        var lane =
                new Lane(
                        number,
                        destination,
                        table.allocate(),
                        site(key == null ? destination : key, standard));
        lane.site.lanes++;
        lane.isSuspended = suspended.contains(destination);
        if (number == lanes.size()) {
            lanes.add(lane);
        } else {
            lanes.set(number, lane);
        }
        byDestination.put(destination, lane);
        return lane;
    }

    private Site site(String key, SiteLimits limits) {
        Site site = sites.get(key);
        if (site == null) {
            site = idleSites.remove(key);
            if (site == null) {
                site = new Site(key, limits, telling);
            }
            sites.put(key, site);
        }
        return site;
    }

    /// Forgets an entry that is not claimed. It is in no list then.
    public void drop(int entry) {
        unschedule(entry);
        Lane lane = lane(entry);
        if (--lane.entries > 0) {
            return;
        }
        if (!lane.site.key.equals(lane.destination)) {
            idleDestinations.put(lane.destination, lane.site.key);
        }
        leave(lane);
        byDestination.remove(lane.destination);
        lanes.set(lane.number, null);
        freeLanes.add(lane.number);
        table.free(lane.line);
    }

    /// A lane no longer counts for its site.
    private void leave(Lane lane) {
        Site site = lane.site;
        if (lane.inTurn) {
            site.turns.remove(lane);
            lane.inTurn = false;
        }
        site.claims -= lane.claims;
        if (--site.lanes == 0) {
            sites.remove(site.key);
            idleSites.put(site.key, site);
        }
        giveTurn(site);
    }

    /// Makes an entry due at a time, wherever it waited before. Not for a claimed one.
    ///
    /// @param dueMillis milliseconds since 1970
    public void schedule(int entry, long dueMillis) {
        unschedule(entry);
        table.setDueMillis(entry, dueMillis);
        if (dueMillis <= wheel.nowMillis()) {
            ready(entry);
        } else {
            table.setState(entry, TIMED);
            wheel.add(entry);
        }
    }

    /// Makes an entry wait for nothing. Not for a claimed one.
    public void unschedule(int entry) {
        switch (table.state(entry)) {
            case IDLE, SETTLED -> {}
            case TIMED, TIMED_URGENTLY, READY, URGENT -> table.unlink(entry);
            default -> throw new IllegalStateException("the entry is claimed");
        }
        table.setState(entry, IDLE);
    }

    /// The same, and lets it pass by windows, rates and suspensions then: for what is to be ended,
    /// not attempted. It takes turns with all the others.
    public void scheduleUrgently(int entry, long dueMillis) {
        unschedule(entry);
        table.setDueMillis(entry, dueMillis);
        if (dueMillis <= wheel.nowMillis()) {
            readyUrgently(entry);
        } else {
            table.setState(entry, TIMED_URGENTLY);
            wheel.add(entry);
        }
    }

    private void readyUrgently(int entry) {
        table.setState(entry, URGENT);
        table.append(urgent, entry);
    }

    private void onTime(int entry) {
        if (table.state(entry) == TIMED_URGENTLY) {
            readyUrgently(entry);
        } else {
            ready(entry);
        }
    }

    private void ready(int entry) {
        table.setState(entry, READY);
        Lane lane = lane(entry);
        table.append(lane.line, entry);
        giveTurn(lane);
    }

    /// The lane's name.
    public String destination(int entry) {
        return lane(entry).destination;
    }

    public boolean isClaimed(int entry) {
        byte state = table.state(entry);
        return state == CLAIMED || state == CLAIMED_URGENTLY;
    }

    private Lane lane(int entry) {
        Lane lane = lanes.get(table.lane(entry));
        if (lane == null) {
            throw new IllegalStateException("the entry is in no lane");
        }
        return lane;
    }

    // ---- Claims ----

    /// Takes the entry whose turn it is, or [EntryTable#NONE] when none is due and allowed.
    ///
    /// @param nowMillis the time now; entries due at or before it are due
    public int claim(long nowMillis) {
        Site site = nextInTurn(nowMillis);
        if (isUrgentClaimable() && (isUrgentsTurn || site == null)) {
            isUrgentsTurn = false;
            int entry = table.next(urgent);
            table.unlink(entry);
            table.setState(entry, CLAIMED_URGENTLY);
            claims++;
            trouble = null;
            return entry;
        }
        isUrgentsTurn = true;
        return site == null ? EntryTable.NONE : claim(site, nowMillis);
    }

    private boolean isUrgentClaimable() {
        return claims < totalMax && !table.isEmpty(urgent);
    }

    private int claim(Site site, long nowMillis) {
        Lane lane = nextInTurn(site);
        if (lane == null) {
            throw new IllegalStateException("a site in turn has a lane in turn");
        }
        turns.remove();
        site.inTurn = false;
        site.turns.remove();
        lane.inTurn = false;
        int entry = table.next(lane.line);
        table.unlink(entry);
        table.setState(entry, CLAIMED);
        lane.claims++;
        site.claims++;
        claims++;
        trouble = site.began(entry, nowMillis) ? site.trouble() : null;
        giveTurn(lane);
        giveTurn(site);
        return entry;
    }

    /// What is wrong with the site of the entry that was claimed last, when that is not to be
    /// attempted, only to be told so; null when it is to be attempted.
    public @Nullable String trouble() {
        return trouble;
    }

    /// Frees the claim's place. The entry stays out of the line until it is scheduled or dropped.
    ///
    /// @param feedback what the attempt said of the site
    /// @param nowMillis the time now
    public void settle(int entry, Feedback feedback, long nowMillis) {
        letTimePass(nowMillis);
        byte state = table.state(entry);
        table.setState(entry, SETTLED);
        switch (state) {
            case CLAIMED -> {
                claims--;
                settle(lane(entry), entry, feedback, nowMillis);
            }
            case CLAIMED_URGENTLY -> claims--;
            default -> {
                table.setState(entry, state);
                throw new IllegalStateException("the entry is not claimed");
            }
        }
    }

    private void settle(Lane lane, int entry, Feedback feedback, long nowMillis) {
        Site site = lane.site;
        lane.claims--;
        site.claims--;
        unpause(site);
        site.ended(entry, feedback, nowMillis, random);
        giveTurn(site);
    }

    /// When a claim may become possible by the passing of time alone: now when one is possible
    /// already, [Long#MAX_VALUE] when none waits for a time. It may be too early, never too late.
    ///
    /// @param nowMillis the time now
    public long nextDueMillis(long nowMillis) {
        if (isClaimable(nowMillis)) {
            return nowMillis;
        }
        // With every place taken, or with due entries behind full windows only, a settlement comes
        // first.
        if (claims >= totalMax) {
            return Long.MAX_VALUE;
        }
        Site site = paused.peek();
        return Math.min(wheel.nextMillis(), site == null ? Long.MAX_VALUE : site.notBeforeMillis());
    }

    /// Whether [#claim] would give an entry now.
    public boolean isClaimable(long nowMillis) {
        letTimePass(nowMillis);
        return isUrgentClaimable() || nextInTurn(nowMillis) != null;
    }

    // ---- Turns ----

    /// The time up to which due entries were looked for, in milliseconds since 1970.
    public long nowMillis() {
        return wheel.nowMillis();
    }

    private void letTimePass(long nowMillis) {
        if (nowMillis < wheel.nowMillis() - STEP_BACK_MAX_MILLIS) {
            rewind(nowMillis);
        }
        wheel.advance(nowMillis, this::onTime);
        for (Site site = paused.peek();
                site != null && site.notBeforeMillis() <= nowMillis;
                site = paused.peek()) {
            paused.remove();
            site.isPaused = false;
            giveTurn(site);
        }
    }

    /// What a site waits for is about to change: it is looked at afresh.
    private void unpause(Site site) {
        if (site.isPaused) {
            paused.remove(site);
            site.isPaused = false;
        }
    }

    private void rewind(long nowMillis) {
        wheel.rewind(nowMillis);
        telling.rewind(nowMillis);
        paused.forEach(site -> site.isPaused = false);
        paused.clear();
        idleSites.values().forEach(site -> site.rewind(nowMillis));
        for (Site site : sites.values()) {
            site.rewind(nowMillis);
            giveTurn(site);
        }
    }

    /// A lane that has a due entry takes its place behind the others of its site.
    private void giveTurn(Lane lane) {
        if (!lane.inTurn && !lane.isSuspended && !table.isEmpty(lane.line)) {
            lane.inTurn = true;
            lane.site.turns.add(lane);
            giveTurn(lane.site);
        }
    }

    /// A site that has a lane in turn and room in its window takes its place behind the others.
    private void giveTurn(Site site) {
        if (!site.inTurn && !site.isPaused && !site.turns.isEmpty() && site.hasRoom()) {
            site.inTurn = true;
            turns.add(site);
        }
    }

    /// The site at the head of the line, past those that have nothing to do any more or have to
    /// wait for a time.
    private @Nullable Site nextInTurn(long nowMillis) {
        letTimePass(nowMillis);
        if (claims >= totalMax) {
            return null;
        }
        while (true) {
            Site site = turns.peek();
            if (site == null) {
                return null;
            }
            boolean hasWork = site.hasRoom() && nextInTurn(site) != null;
            if (hasWork && site.notBeforeMillis() <= nowMillis) {
                return site;
            }
            turns.remove();
            site.inTurn = false;
            if (hasWork) {
                site.isPaused = true;
                paused.add(site);
            }
        }
    }

    /// The lane at the head of a site's line, past those that have nothing to do any more.
    private @Nullable Lane nextInTurn(Site site) {
        while (true) {
            Lane lane = site.turns.peek();
            if (lane == null || !(lane.isSuspended || table.isEmpty(lane.line))) {
                return lane;
            }
            site.turns.remove();
            lane.inTurn = false;
        }
    }

    // ---- Sites and operators ----

    /// Says which site a destination belongs to. Sites are made by being named.
    ///
    /// @return whether what is claimed may go on: false when it has just been found to belong to a
    ///     site that has its fill, or is down; it is then to be scheduled again, and will wait for
    ///     its turn there
    public boolean assign(String destination, String siteKey, SiteLimits limits) {
        Lane lane = byDestination.get(destination);
        if (lane == null) {
            return true;
        }
        boolean hasMoved = !lane.site.key.equals(siteKey);
        if (hasMoved) {
            Site old = lane.site;
            if (isClaimOf(old.probe, lane)) {
                unpause(old);
                old.probe = EntryTable.NONE;
            }
            leave(lane);
            lane.site = site(siteKey, limits);
            lane.site.lanes++;
            lane.site.claims += lane.claims;
            giveTurn(lane);
        }
        Site site = lane.site;
        if (!site.limits.equals(limits)) {
            site.setLimits(limits);
            giveTurn(site);
        }
        if (site.isDown()) {
            return !hasMoved; // the probe, or an attempt from before
        }
        return site.claims <= site.window() && !(hasMoved && limits.perSecond() > 0);
    }

    private boolean isClaimOf(int entry, Lane lane) {
        return entry != EntryTable.NONE && table.lane(entry) == lane.number;
    }

    /// Hands out nothing of a destination until it is resumed; for one without an entry, too.
    ///
    /// @return whether it was not suspended before
    public boolean suspend(String destination) {
        Lane lane = byDestination.get(destination);
        if (lane != null) {
            lane.isSuspended = true;
        }
        return suspended.add(destination);
    }

    /// @return whether it was suspended
    public boolean resume(String destination) {
        Lane lane = byDestination.get(destination);
        if (lane != null) {
            lane.isSuspended = false;
            giveTurn(lane);
        }
        return suspended.remove(destination);
    }

    /// In the order of the alphabet.
    public List<String> suspended() {
        return List.copyOf(suspended);
    }

    public int claims() {
        return claims;
    }

    public int lanes() {
        return byDestination.size();
    }

    /// Those with an entry.
    public int sites() {
        return sites.size();
    }

    /// Of those with an entry.
    public int sitesDown() {
        int count = 0;
        for (Site site : sites.values()) {
            if (site.isDown()) {
                count++;
            }
        }
        return count;
    }

    /// How many attempts a destination's site may have at a time now; 0 while it is down.
    ///
    /// @return −1 when the destination has no entry
    public int window(String destination) {
        Lane lane = byDestination.get(destination);
        if (lane == null) {
            return -1;
        }
        return lane.site.isDown() ? 0 : lane.site.window();
    }
}
