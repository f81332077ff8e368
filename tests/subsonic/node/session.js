// A session of the client that people use in Node: prints what it saw as JSON.
// SUBSONIC_API is the address of the installed package, the argument a JSON of what to do.
const { default: SubsonicAPI } = await import(process.env.SUBSONIC_API)
const { url, username, password, apiKey, post, albumId } = JSON.parse(process.argv[2])

const auth = apiKey ? { apiKey } : { username, password }
const api = new SubsonicAPI({ url, auth, post })
const saw = {}

saw.ping = await api.ping()
saw.extensions = (await api.getOpenSubsonicExtensions()).openSubsonicExtensions.map((known) => known.name)
saw.license = (await api.getLicense()).license.valid
saw.user = apiKey ? null : (await api.getUser({ username })).user.username
saw.folders = (await api.getMusicFolders()).musicFolders.musicFolder.length

const { album } = await api.getAlbum({ id: albumId })
const { artist } = await api.getArtist({ id: album.artistId })
saw.album = { name: album.name, created: album.created instanceof Date, songs: album.song.map((song) => song.title) }
saw.artist = artist.album.map((one) => one.name)
saw.artists = (await api.getArtists()).artists.index.flatMap((index) => index.artist).map((one) => one.name)
saw.newest = (await api.getAlbumList2({ type: "newest", size: 500 })).albumList2.album.map((one) => one.id)
saw.search = (await api.search3({ query: album.song[0].title })).searchResult3.song.map((song) => song.id)

const [first, second] = album.song
const whole = await api.stream({ id: first.id })
saw.type = whole.headers.get("content-type")
saw.bytes = Buffer.from(await whole.arrayBuffer()).toString("base64")
const saved = await api.download({ id: first.id })
saw.disposition = saved.headers.get("content-disposition")
saw.same = Buffer.from(await saved.arrayBuffer()).toString("base64") === saw.bytes

await api.star({ id: [first.id, second.id], albumId: album.id, artistId: artist.id })
await api.unstar({ id: second.id })
const { starred2 } = await api.getStarred2()
saw.starred = [starred2.song, starred2.album, starred2.artist].map((things) => things.map((thing) => thing.id))
await api.setRating({ id: first.id, rating: 4 })
saw.rating = (await api.getSong({ id: first.id })).song.userRating

await api.scrobble({ id: first.id, submission: false })
const playing = (await api.getNowPlaying()).nowPlaying.entry
saw.playing = playing.map((entry) => [entry.id, entry.playerName])
await api.scrobble({ id: first.id, time: Date.now() - 120_000 })

const { playlist } = await api.createPlaylist({ name: "From Node", songId: [first.id, second.id] })
await api.updatePlaylist({
  playlistId: playlist.id,
  name: "Still from Node",
  comment: "Zürich",
  public: true,
  songIdToAdd: [first.id],
  songIndexToRemove: [0],
})
const changed = (await api.getPlaylist({ id: playlist.id })).playlist
saw.playlist = { ...changed, entry: changed.entry.map((entry) => entry.title) }
saw.playlists = (await api.getPlaylists()).playlists.playlist.map((one) => one.name)
await api.deletePlaylist({ id: playlist.id })
saw.gone = (await api.getPlaylist({ id: playlist.id })).error.code

await api.savePlayQueue({ id: [first.id, second.id], current: second.id, position: 1234 })
const { playQueue } = await api.getPlayQueue()
saw.queue = [playQueue.current, playQueue.position, playQueue.entry.length, playQueue.changedBy]
saw.lyrics = (await api.getLyricsBySongId({ id: first.id })).lyricsList.structuredLyrics.length
saw.wrong = (await new SubsonicAPI({ url, auth: { username: "nobody", password: "wrong" } }).ping()).error.code

console.log(JSON.stringify(saw))
