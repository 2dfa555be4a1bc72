// Keeps the cluster page of operators up to date: the page is drawn by the server,
// and this puts a newer one in its place. Without it the page reloads by itself.
const EVERY = 1000

/** @param {Document} page */
function show(page) {
  for (const id of ['main', '#status']) {
    const [now, next] = [document.querySelector(id), page.querySelector(id)]
    if (now && next && now.outerHTML !== next.outerHTML) now.replaceWith(document.adoptNode(next))
  }
}

async function refresh() {
  try {
    const res = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(5000) })
    if (!res.ok) throw new Error(res.statusText)
    show(new DOMParser().parseFromString(await res.text(), 'text/html'))
  } catch {
    const status = document.getElementById('status')
    status.dataset.state = 'closed'
    status.textContent = 'this node does not answer'
  }
  setTimeout(refresh, EVERY)
}

setTimeout(refresh, EVERY)
