// The line to a room: one WebSocket for the window, which outlives the runs and pages of the app. What it
// knows is `state`, as the server tells it (server/rooms/); each time something is new, the document hears
// "room". Stands before room.js.
//
// role: "leads" the room, "follows" it, "waits" where another window of the lecturer's leads it, or null.
// The lecturer's secret lies in this browser's localStorage alone. `me` is a random name that counts an
// answer once; it is of one room, and nobody is told it.

const MINE = "backstep room", FATAL = ["unknown", "unknown_here", "full", "too_many_codes", "most_rooms", "too_many_openings", "not_yours", "gone"];

const kept = (storage) => { try { return JSON.parse(storage.getItem(MINE)) ?? {}; } catch { return {}; } };
const keep = (storage, what) => (what ? storage.setItem(MINE, JSON.stringify(what)) : storage.removeItem(MINE));
const token = () => [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

function newLine(address) {
  const line = { role: null, code: null, state: {}, connected: false, refused: null, roams: false, points: "null" };
  let socket = null, first = null, tries = 0, again = 0, was = false; // was: in the room before

  const tell = () => document.dispatchEvent(new Event("room"));

  function connect() {
    clearTimeout(again);
    const mine = (socket = new WebSocket(address));
    mine.onopen = () => mine.send(JSON.stringify(first));
    mine.onmessage = ({ data }) => mine === socket && heard(JSON.parse(data));
    mine.onclose = () => {
      if (mine !== socket) return;
      line.connected = false;
      tell();
      again = setTimeout(connect, Math.min(8000, 300 * 2 ** tries) * (0.5 + Math.random()));
      tries += 1;
    };
  }

  function enter(message, role, code) {
    Object.assign(line, { role, code, joins: role === "follows", state: {}, connected: false, refused: null, roams: role === "follows" && Boolean(kept(sessionStorage).roams), placed: null, followed: null });
    first = message;
    tries = 0;
    was = false;
    drop();
    connect();
    tell();
  }

  function drop() {
    clearTimeout(again);
    const old = socket;
    socket = null;
    old?.close();
  }

  function out(reason) { // of the room, for good
    drop();
    if (line.role === "leads") keep(localStorage, null);
    keep(sessionStorage, null);
    Object.assign(line, { role: null, state: {}, connected: false, refused: reason });
    tell();
  }

  function heard(news) {
    if (news.refused === "led") { drop(); line.role = "waits"; return tell(); }
    if (first.politely && FATAL.includes(news.refused)) return out(null); // a room of long ago
    if (FATAL.includes(news.refused)) return out(was && /unknown|gone/.test(news.refused) ? "ended" : news.refused);
    if (news.refused && !was) return out("unknown"); // what can be no code
    if (news.refused) return console.warn("The room has refused a message.");
    if (news.ended) return out("ended");
    if (news.elsewhere) { drop(); keep(sessionStorage, null); line.role = "waits"; return tell(); }
    if (news.leads) {
      const secret = news.secret ?? kept(localStorage).secret;
      keep(localStorage, { code: news.leads, secret });
      keep(sessionStorage, { leads: news.leads });
      first = { lead: news.leads, secret };
      line.code = news.leads;
    }
    if (news.leads || news.joined) Object.assign(line, { connected: true, placed: null });
    if (news.leads || news.joined) [tries, was] = [0, true];
    Object.assign(line.state, news);
    tell();
  }

  line.say = (message) => { // whether it could be sent
    if (!line.connected || socket?.readyState !== WebSocket.OPEN) return false;
    socket.send(JSON.stringify(message));
    return true;
  };
  line.open = () => line.role !== "leads" && enter({ open: true }, "leads", null);
  line.lead = (politely) => enter({ lead: kept(localStorage).code, secret: kept(localStorage).secret, politely }, "leads", kept(localStorage).code);
  line.join = (code) => {
    const known = kept(sessionStorage), me = known.joined === code ? known.me : token();
    keep(sessionStorage, { joined: code, me, roams: known.joined === code && known.roams, fine: known.fine });
    enter({ join: code, me }, "follows", code);
  };
  line.roam = (roams) => { keep(sessionStorage, { ...kept(sessionStorage), roams }); Object.assign(line, { roams, followed: null }); tell(); };
  line.leave = () => out(null);
  line.close = () => { line.say({ close: true }); };

  // ---- as this window begins: an address with a code joins; whoever was in a room is there again

  const asked = new URLSearchParams(location.search).get("room")?.toUpperCase(), here = kept(sessionStorage);
  if (here.leads && kept(localStorage).secret) line.lead(false);
  else if (asked) line.join(asked);
  else if (here.joined) line.join(here.joined);
  else if (kept(localStorage).secret) line.lead(true);
  return line;
}
